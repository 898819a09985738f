"""What rules in Gram space see of the updates: inner products and squared distances, correctly rounded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from provenance.aggregation.gram import GramBlock
from provenance.aggregation.updates import Grid

__all__ = ["Geometry", "geometry_of"]


@dataclass(frozen=True)
class Geometry:
    """Inner products and squared distances of n rows, in units of 4**exponent; lengths are in units of 2**exponent.

    ``gram`` is about zero where ``origin`` is true, else about a row in the midst of the others. Where two rows
    are as good as each other, the one of lower ``rank`` goes first: its place among the rows as they came.
    """

    gram: Grid
    squares: Grid
    exponent: int
    rank: tuple[int, ...]
    origin: bool

    @property
    def n(self) -> int:
        """How many rows there are."""
        return len(self.rank)

    def length(self, value: float) -> float:
        """Turn a length in the updates' own unit into this one; infinity where it is too long to matter."""
        try:
            return math.ldexp(value, -self.exponent)
        except OverflowError:
            return math.inf

    def diameter(self) -> float:
        """Give the largest distance between two rows, in the updates' own unit."""
        return _scaled(math.sqrt(float(self.squares.max())), self.exponent)

    def heterogeneity(self) -> float:
        """Give the root of the mean squared distance of the rows from their mean, in the updates' own unit."""
        pairs = math.fsum(self.squares.ravel().tolist())
        return _scaled(math.sqrt(pairs / 2.0) / self.n, self.exponent)

    def ordered(self, key: Any) -> list[int]:
        """Sort the rows by a number each, ties by rank."""
        return sorted(range(self.n), key=lambda row: (key[row], self.rank[row]))


def _scaled(value: float, exponent: int) -> float:
    try:
        return math.ldexp(value, exponent)
    except OverflowError:
        return math.inf


def geometry_of(whole: GramBlock, order: list[int], faulty: int, *, origin: bool) -> Geometry:
    """Turn exact integers into float64, rows in a given order; each number is rounded once."""
    lowest, gram = whole.integers()
    gram = gram[np.ix_(order, order)]
    lengths = np.diagonal(gram)
    squares = lengths + lengths[:, None] - 2 * gram
    if not origin:  # doubled, which keeps it whole
        middle = _middle(squares, faulty)
        gram = squares[:, middle, None] + squares[middle] - squares
        lowest -= 1
        squares = 2 * squares
    size = max(int(gram.max()), int(squares.max()), -int(gram.min())).bit_length()
    size += (lowest + size) % 2
    return Geometry(
        gram=_rounded(gram, size),
        squares=_rounded(squares, size),
        exponent=(lowest + size) // 2,
        rank=tuple(order),
        origin=origin,
    )


def _rounded(integers: Any, size: int) -> Grid:
    """Divide integers by 2**size; Python rounds the quotient of two integers once, however large they are."""
    found: Grid = (integers / (1 << size)).astype(np.float64)
    return found


def _middle(squares: Any, faulty: int) -> int:
    """Choose the row whose n - f nearest are nearest: it lies among the honest ones, wherever the others are."""
    near = np.sort(squares, axis=1)[:, : len(squares) - faulty]
    sums = near.sum(axis=1).tolist()
    return int(sums.index(min(sums)))
