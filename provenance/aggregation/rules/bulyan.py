"""Bulyan: Krum picks n-2f rows one after the other; of their coordinates, the mean of the n-4f nearest the median."""

from __future__ import annotations

import math

from provenance.aggregation.geometry import Geometry
from provenance.aggregation.rule import Choices, Combination, Kernel, Rule, chosen
from provenance.aggregation.rules.krum import krum_scores
from provenance.aggregation.rules.meamed import mean_around_median

__all__ = ["BULYAN"]


def _combine(space: Geometry, choices: Choices) -> Combination:
    left, picked = list(range(space.n)), []
    for _ in range(space.n - 2 * choices.faulty):
        scores = krum_scores(space, left, choices.faulty)
        best = min(left, key=lambda row: (scores[row], space.rank[row]))
        picked.append(best)
        left.remove(best)
    return chosen(picked, space.n)


def _kernel(n: int, choices: Choices) -> Kernel:
    return mean_around_median(n, n - 2 * choices.faulty)


def _kappa(n: int, faulty: int) -> float:
    if not faulty:
        return 0.0
    honest = n - faulty
    middle = 2.0 * honest / (n - 4 * faulty)
    return (math.sqrt(middle) + math.sqrt(honest * (1.0 + middle) / (faulty + 1))) ** 2


BULYAN = Rule(
    name="bulyan",
    title="the mean around the median of n-2f rows picked by Krum",
    least=lambda faulty: 4 * faulty + 3,
    kappa=_kappa,
    source="derived in docs/aggregation.md, from the second stage alone",
    condition="n >= 4f + 3",
    combine=_combine,
    kernel=_kernel,
)
