"""Centred clipping: from zero on, move by the mean of the differences to the rows, each shortened to tau."""

from __future__ import annotations

import numpy as np

from provenance.aggregation.arithmetic import product, total
from provenance.aggregation.clipping import shortened
from provenance.aggregation.geometry import Geometry
from provenance.aggregation.rule import Choices, Combination, Parameter, Rule, majority

__all__ = ["CENTERED_CLIPPING"]


def _combine(space: Geometry, choices: Choices) -> Combination:
    coefficients = np.zeros(space.n)
    for _ in range(int(choices.parameters["iterations"])):
        apart = coefficients - np.eye(space.n)
        squares = total((apart * product(apart, space.gram)).T)
        factors = shortened(np.sqrt(np.maximum(squares, 0.0)), space.length(choices.parameters["tau"]))
        coefficients = coefficients * (1.0 - total(factors) / space.n) + factors / space.n
    return Combination(coefficients)


CENTERED_CLIPPING = Rule(
    name="centered-clipping",
    title="centred clipping from zero",
    least=majority,
    kappa=lambda _n, _f: None,
    source="none for a start that is not near the honest mean (Karimireddy et al. 2021); arXiv 2208.09894 breaks it",
    condition="n > 2f",
    combine=_combine,
    parameters={
        "tau": Parameter(1.0, "the greatest length of a difference"),
        "iterations": Parameter(
            1.0, "how often the centre moves", least=1.0, open=False, whole=True, most=1000.0
        ),
    },
    equivariant=False,
)
