"""Adaptive robust clipping: the floor(2f(n-f)/n) longest rows are shortened to the longest of the rest."""

from __future__ import annotations

from collections.abc import Mapping

from provenance.aggregation.clipping import shortened
from provenance.aggregation.geometry import Geometry
from provenance.aggregation.pre.model import Scaled, Step, norms
from provenance.aggregation.rule import Choices

__all__ = ["ARC"]


def _mix(space: Geometry, choices: Choices) -> Scaled:
    lengths = norms(space)
    clipped = 2 * choices.faulty * (space.n - choices.faulty) // space.n
    return Scaled(shortened(lengths, sorted(lengths.tolist())[space.n - clipped - 1]))


def _kappa(n: int, faulty: int, kappa: float, _parameters: Mapping[str, float]) -> float:
    return kappa + 2.0 * faulty / (n - 2 * faulty)


ARC = Step(
    name="arc",
    title="the floor(2f(n-f)/n) longest rows are shortened to the longest of the rest",
    mix=_mix,
    kappa=_kappa,
    source="Allouah et al. 2024 (arXiv 2405.14432): kappa + 2f/(n-2f)",
    equivariant=False,
)
