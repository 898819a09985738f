"""The mean, weighted by voting rights: what the other rules are measured by. One faulty row moves it anywhere."""

from __future__ import annotations

import math

import numpy as np

from provenance.aggregation.geometry import Geometry
from provenance.aggregation.rule import Choices, Combination, Rule

__all__ = ["MEAN"]


def _combine(space: Geometry, choices: Choices) -> Combination:
    rights = np.ones(space.n) if choices.rights is None else choices.rights
    return Combination(rights, math.fsum(rights.tolist()))


def _kappa(_n: int, faulty: int) -> float | None:
    return None if faulty else 0.0


MEAN = Rule(
    name="mean",
    title="the mean of all",
    least=lambda faulty: 1 if faulty == 0 else 0,
    kappa=_kappa,
    source="by definition; with any faulty contributor there is no bound",
    condition="f = 0",
    combine=_combine,
    weighted=True,
    blind=True,
)
