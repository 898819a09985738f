"""Krum takes the row with the nearest n-f-1 others; multi-Krum the mean of the n-f best rows."""

from __future__ import annotations

import math

from provenance.aggregation.geometry import Geometry
from provenance.aggregation.rule import Choices, Combination, Rule, chosen, majority

__all__ = ["KRUM", "MULTI_KRUM", "krum_scores"]


def krum_scores(space: Geometry, rows: list[int], faulty: int) -> dict[int, float]:
    """Give each of ``rows`` the sum of its squared distances to the nearest len(rows)-f-1 others of them."""
    near = len(rows) - faulty - 1
    squares = space.squares.tolist()
    return {
        row: math.fsum(sorted(squares[row][other] for other in rows if other != row)[:near]) for row in rows
    }


def _krum(space: Geometry, choices: Choices) -> Combination:
    return chosen(_best(space, choices)[:1], space.n)


def _multi_krum(space: Geometry, choices: Choices) -> Combination:
    return chosen(_best(space, choices)[: space.n - choices.faulty], space.n)


def _best(space: Geometry, choices: Choices) -> list[int]:
    return space.ordered(krum_scores(space, list(range(space.n)), choices.faulty))


def _krum_kappa(n: int, faulty: int) -> float:
    return 6.0 * (1.0 + faulty / (n - 2 * faulty))


def _multi_krum_kappa(n: int, faulty: int) -> float:
    return 6.0 * faulty * n / ((n - faulty) * (n - 2 * faulty))


KRUM = Rule(
    name="krum",
    title="the row with the nearest n-f-1 others",
    least=majority,
    kappa=_krum_kappa,
    source="Allouah et al. 2023 (arXiv 2302.01772), table 1: 6 (1 + f/(n-2f))",
    condition="n > 2f",
    combine=_krum,
)
MULTI_KRUM = Rule(
    name="multi-krum",
    title="the mean of the n-f best rows of Krum",
    least=majority,
    kappa=_multi_krum_kappa,
    source="derived in docs/aggregation.md: 6fn/((n-f)(n-2f))",
    condition="n > 2f",
    combine=_multi_krum,
)
