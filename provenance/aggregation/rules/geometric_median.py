"""The geometric median, converged: the least sum of distances, weighted by voting rights."""

from __future__ import annotations

import numpy as np

from provenance.aggregation.geometry import Geometry
from provenance.aggregation.rule import Choices, Combination, Rule, majority
from provenance.aggregation.weiszfeld import minimiser

__all__ = ["GEOMETRIC_MEDIAN"]


def _combine(space: Geometry, choices: Choices) -> Combination:
    rights = np.ones(space.n) if choices.rights is None else choices.rights
    return Combination(minimiser(space, rights / rights.max(), 0.0))


def _kappa(n: int, faulty: int) -> float:
    return 4.0 * (1.0 + faulty / (n - 2 * faulty)) ** 2


GEOMETRIC_MEDIAN = Rule(
    name="geometric-median",
    title="geometric median",
    least=majority,
    kappa=_kappa,
    source="Allouah et al. 2023 (arXiv 2302.01772), table 1: 4 (1 + f/(n-2f))^2",
    condition="n > 2f",
    combine=_combine,
    weighted=True,
)
