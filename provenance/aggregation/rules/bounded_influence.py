"""One person, one unit of force: the minimiser of W |y|^2 / 2 + sum w_i |y - x_i|.

However contributors are spread and however many are faulty, a change of voting rights by |w - w'| in sum moves
the result by |w - w'| / W at most, for the objective is W-strongly convex and each contributor's slope is no more
than its voting right. W is fixed before the updates are seen. Zero is the centre: no change from the base model.
"""

from __future__ import annotations

import math

import numpy as np

from provenance.aggregation.geometry import Geometry
from provenance.aggregation.rule import Choices, Combination, Parameter, Rule, majority
from provenance.aggregation.weiszfeld import minimiser

__all__ = ["BOUNDED_INFLUENCE"]


def _combine(space: Geometry, choices: Choices) -> Combination:
    rights = np.ones(space.n) if choices.rights is None else choices.rights
    # In units of 2^k the objective is 4^k W |y|^2 / 2 + 2^k sum w |y - x|: divide by 2^k and by the largest right.
    pull = math.ldexp(choices.parameters["W"] / float(rights.max()), space.exponent)
    return Combination(minimiser(space, rights / rights.max(), pull))


BOUNDED_INFLUENCE = Rule(
    name="bounded-influence",
    title="quadratically regularised geometric median",
    least=majority,
    kappa=lambda _n, _f: None,
    source="no kappa, for zero draws the result; a unit of voting right moves it by 1/W at most (W-strong convexity)",
    condition="n > 2f",
    combine=_combine,
    parameters={"W": Parameter(1.0, "one unit of voting right moves the result by 1/W at most")},
    weighted=True,
    equivariant=False,
)
