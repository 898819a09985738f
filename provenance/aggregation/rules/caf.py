"""Covariance-bound-agnostic filter: rows lose weight by how far they lie along the direction of most variance.

While the weights add up to more than n - 2f: take their mean and the top eigenpair of their covariance, and
multiply each weight by 1 - t_i / max t, t_i the squared projection and the maximum over rows of positive weight.
The result is the mean at the least eigenvalue seen; at eigenvalue zero it stops.
"""

from __future__ import annotations

import numpy as np

from provenance.aggregation.arithmetic import dominant, product, total
from provenance.aggregation.geometry import Geometry
from provenance.aggregation.rule import Choices, Combination, Rule, majority
from provenance.aggregation.updates import Floats

__all__ = ["CAF"]


def _combine(space: Geometry, choices: Choices) -> Combination:
    weights, best, least = np.ones(space.n), np.ones(space.n), np.inf
    while total(weights) > space.n - 2 * choices.faulty:
        value, projections = _top(space, weights)
        if value < least:
            least, best = value, weights
        most = float(projections.max())
        if not value > 0 or not most > 0:
            break
        weights = weights * (1.0 - projections / most)
    if (best == 1).all():
        return Combination(best, float(space.n))
    return Combination(best / total(best))


def _top(space: Geometry, weights: Floats) -> tuple[float, Floats]:
    """Give the top eigenvalue of the weighted covariance, and squared projections, zero for rows of no weight.

    With shares p, the centred Gram matrix H and u the top eigenvector of sqrt(p) H sqrt(p), the projections are
    the eigenvalue times u_i^2 / p_i.
    """
    alive = np.flatnonzero(weights > 0)
    shares = weights[alive] / total(weights[alive])
    gram = space.gram[np.ix_(alive, alive)]
    pulled = product(gram, shares)
    centred = gram - pulled - pulled[:, None] + total(shares * pulled)
    roots = np.sqrt(shares)
    value, vector = dominant(centred * roots * roots[:, None])
    projections = np.zeros(space.n)
    projections[alive] = vector * vector / shares
    return value, projections


CAF = Rule(
    name="caf",
    title="covariance-bound-agnostic filter",
    least=majority,
    kappa=lambda _n, faulty: None if faulty else 0.0,
    source="of order f/n for n of about 5f or more (Allouah et al.), no constant known",
    condition="n > 2f",
    combine=_combine,
)
