"""What a rule is: its conditions, its constant, and how it works, by coordinate or in Gram space."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from provenance.aggregation.geometry import Geometry
from provenance.aggregation.updates import Floats

__all__ = [
    "Choices",
    "Combination",
    "Combine",
    "Kernel",
    "MakeKernel",
    "Parameter",
    "Rule",
    "chosen",
    "majority",
]


@dataclass(frozen=True)
class Combination:
    """The result as the sum of ``weights[i]`` times row i, over ``divisor``."""

    weights: Floats
    divisor: float = 1.0

    def coefficients(self) -> Floats:
        """Give the factor of each row."""
        return self.weights / self.divisor


@dataclass(frozen=True)
class Parameter:
    """A parameter of a rule: its default, what it is, and the least value; a whole number where ``whole`` says so."""

    default: float
    meaning: str
    least: float = 0.0
    open: bool = True  # whether ``least`` itself is too small
    whole: bool = False
    most: float = 2.0**1000


@dataclass(frozen=True)
class Choices:
    """What a rule is called with, besides the rows: faulty contributors, parameters, voting rights by row."""

    faulty: int
    parameters: Mapping[str, float] = field(default_factory=dict)
    rights: Floats | None = None


Combine = Callable[[Geometry, Choices], Combination]
"""The coefficients of the rows, from their inner products and distances."""


class Kernel(NamedTuple):
    """The work of a rule by coordinate on one block.

    ``combine`` gives the result from a list of the n rows [w], float32 or float64, which it may overwrite. Afterwards
    the list holds at the places ``kept`` the values whose mean is the result, in any order: of each column the values
    from one rank to another. ``rights`` are the voting rights of the rows, where they differ.
    """

    combine: Callable[[list[Any]], Floats]
    kept: range
    rights: Floats | None = None


MakeKernel = Callable[[int, Choices], Kernel]
"""A kernel for n rows."""

Constant = Callable[[int, int], float | None]
"""(n, f) to kappa; None where none is known."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule: with ``combine`` alone a linear combination of the rows, with ``kernel`` alone one by coordinate.

    With both, ``combine`` selects rows (of weight above zero) for the kernel. ``least`` gives the least n for f
    faulty contributors. ``equivariant`` says that moving all updates moves the result as much; ``weighted`` that
    voting rights count; ``blind`` that ``combine`` looks at no distance.
    """

    name: str
    title: str
    least: Callable[[int], int]
    kappa: Constant
    source: str
    condition: str = ""
    combine: Combine | None = None
    kernel: MakeKernel | None = None
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    weighted: bool = False
    equivariant: bool = True
    blind: bool = False


def majority(faulty: int) -> int:
    """Give the least n for which the honest are a majority."""
    return 2 * faulty + 1


def chosen(rows: list[int], n: int) -> Combination:
    """Give the mean of some of n rows."""
    weights: Final = np.zeros(n)
    weights[rows] = 1.0
    return Combination(weights, float(len(rows)))
