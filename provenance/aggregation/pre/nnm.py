"""Nearest-neighbour mixing: each row becomes the mean of the n-f rows that are nearest to it, itself included."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from provenance.aggregation.geometry import Geometry
from provenance.aggregation.pre.model import Grouped, Step
from provenance.aggregation.rule import Choices

__all__ = ["NNM"]


def _mix(space: Geometry, choices: Choices) -> Grouped:
    members = np.zeros((space.n, space.n))
    for row, near in enumerate(space.squares.tolist()):
        members[row, space.ordered(near)[: space.n - choices.faulty]] = 1.0
    return Grouped(members, space.rank)


def _kappa(n: int, faulty: int, kappa: float, _parameters: Mapping[str, float]) -> float:
    return 8.0 * faulty / (n - faulty) * (1.0 + kappa)


NNM = Step(
    name="nnm",
    title="each row becomes the mean of the n-f nearest to it",
    mix=_mix,
    kappa=_kappa,
    source="Allouah et al. 2023 (arXiv 2302.01772), lemma 1: 8f/(n-f) (1 + kappa)",
)
