"""Comparative gradient elimination: the mean of the n-f shortest rows."""

from __future__ import annotations

from provenance.aggregation.geometry import Geometry
from provenance.aggregation.rule import Choices, Combination, Rule, chosen, majority

__all__ = ["CGE"]


def _combine(space: Geometry, choices: Choices) -> Combination:
    shortest = space.ordered(space.gram.diagonal().tolist())
    return chosen(shortest[: space.n - choices.faulty], space.n)


CGE = Rule(
    name="cge",
    title="the mean of the n-f shortest rows",
    least=majority,
    kappa=lambda _n, faulty: None if faulty else 0.0,
    source="none: short rows of any direction stay in, as -mean does (Gupta and Vaidya 2020 assume redundancy)",
    condition="n > 2f",
    combine=_combine,
    equivariant=False,
)
