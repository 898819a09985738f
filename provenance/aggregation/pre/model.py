"""What a pre-aggregator is: rows scaled about zero, or means of groups of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from provenance.aggregation.arithmetic import product
from provenance.aggregation.geometry import Geometry
from provenance.aggregation.rule import Choices, Combination, Parameter, majority
from provenance.aggregation.updates import Floats, Grid

__all__ = ["Grouped", "Mixing", "Scaled", "Step", "norms"]


@dataclass(frozen=True)
class Scaled:
    """Row i times ``factors[i]``."""

    factors: Floats

    def apply(self, space: Geometry) -> Geometry:
        """Give the inner products and distances of the new rows; the old are about zero."""
        return _geometry(space, space.gram * self.factors * self.factors[:, None], space.rank)

    def back(self, combination: Combination) -> Combination:
        """Turn coefficients of the new rows into those of the old."""
        return Combination(combination.weights * self.factors, combination.divisor)


@dataclass(frozen=True)
class Grouped:
    """New row g is the mean of the rows i with ``members[g, i]`` = 1."""

    members: Grid
    rank: tuple[int, ...]

    @property
    def sizes(self) -> Floats:
        """How many members each group has."""
        counts: Floats = np.count_nonzero(self.members, axis=1).astype(np.float64)
        return counts

    def apply(self, space: Geometry) -> Geometry:
        """Give the inner products and distances of the new rows."""
        gram = product(product(self.members, space.gram), self.members.T)
        return _geometry(space, gram / (self.sizes * self.sizes[:, None]), self.rank)

    def back(self, combination: Combination) -> Combination:
        """Turn coefficients of the new rows into those of the old; whole numbers stay whole in groups of one size."""
        sizes = self.sizes
        if len(set(sizes.tolist())) == 1:
            return Combination(product(self.members.T, combination.weights), combination.divisor * sizes[0])
        return Combination(product(self.members.T, combination.weights / sizes), combination.divisor)


Mixing = Scaled | Grouped


def _geometry(space: Geometry, gram: Grid, rank: tuple[int, ...]) -> Geometry:
    gram = (gram + gram.T) / 2.0
    lengths = np.diagonal(gram)
    squares = np.maximum(lengths + lengths[:, None] - 2.0 * gram, 0.0)
    return Geometry(gram=gram, squares=squares, exponent=space.exponent, rank=rank, origin=space.origin)


@dataclass(frozen=True, kw_only=True)
class Step:
    """A pre-aggregator. ``rows`` gives the number of new rows for n old ones, ``kappa`` its effect on the constant.

    ``kappa(n, f, kappa of what follows, parameters)`` is None where no constant is known.
    """

    name: str
    title: str
    mix: Callable[[Geometry, Choices], Mixing]
    kappa: Callable[[int, int, float, Mapping[str, float]], float | None]
    source: str
    equivariant: bool = True
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    rows: Callable[[int, Mapping[str, float]], int] = lambda n, _parameters: n
    least: Callable[[int], int] = majority


def norms(space: Geometry) -> Floats:
    """Give the lengths of the rows, in units of the space, which is about zero."""
    lengths: Floats = np.sqrt(np.diagonal(space.gram))
    return lengths
