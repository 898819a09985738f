"""Updates as a source of column chunks: one row a contributor, in memory or streamed from files."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np

__all__ = [
    "BLOCK",
    "ArrayUpdates",
    "FileUpdates",
    "Floats",
    "Grid",
    "UnusableUpdateError",
    "Updates",
    "widen",
]

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
"""A vector of float64."""
Grid = np.ndarray[tuple[int, int], np.dtype[np.float64]]
"""A matrix of float64."""

# Columns that are rounded to one grid of integers in the Gram matrix: a part of every result's definition.
BLOCK: Final = 16384

# Sums of values no farther than this from zero stay finite, whatever the rule.
LARGEST: Final = 2.0**1000


class Updates(Protocol):
    """Rows of contributors, of which chunks of columns may be read twice, from any thread, in any order."""

    @property
    def n(self) -> int:
        """How many rows there are."""

    @property
    def d(self) -> int:
        """How many columns there are."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """What the columns hold: float16, bfloat16, float32 or float64."""

    def chunks(self, start: int, stop: int) -> np.ndarray[Any, Any]:
        """Give the columns ``[start, stop)`` as an array [n, stop - start] that is never written to."""


@runtime_checkable
class FileUpdates(Updates, Protocol):
    """Updates for whose columns somebody has to read, and so may be told more of what is needed, and tell it."""

    @property
    def step(self) -> int:
        """Give the number at whose multiples ranges should begin, so that nothing is read twice; one of ``BLOCK``."""

    @property
    def prepared(self) -> bool:
        """Say whether chunks are sure to hold finite numbers, far below 2^1000, and may be written to.

        Then a pass asks for each column once.
        """

    def sparing(self, rows: Collection[int]) -> Updates:
        """Give the same updates where nobody will look at some of the rows, so that they need not be read."""


class UnusableUpdateError(ValueError):
    """A row holds NaN, infinity or a number too large to compute with; ``row`` counts from 0."""

    def __init__(self, row: int, what: str) -> None:
        super().__init__(row, what)  # as it is made again, where it was raised in another process
        self.row = row

    def __str__(self) -> str:
        """Say which row holds what."""
        return "row {} of the updates holds {}".format(*self.args)


class ArrayUpdates:
    """An array [n, d] in memory as updates; integers become float64. Raises ValueError for any other array."""

    def __init__(self, array: Any) -> None:
        self.array = _as_floats(array)
        self.n, self.d = self.array.shape
        self.dtype = self.array.dtype

    def chunks(self, start: int, stop: int) -> np.ndarray[Any, Any]:
        """Give columns as a view."""
        return self.array[:, start:stop]


def _as_floats(array: Any) -> np.ndarray[tuple[int, int], Any]:
    found = np.asarray(array)
    if found.dtype.kind in "iu":
        found = found.astype(np.float64)
    if found.dtype.name not in ("float16", "bfloat16", "float32", "float64"):
        raise ValueError(f"updates must be float16, bfloat16, float32 or float64, not {found.dtype.name}")
    if found.ndim != 2:
        raise ValueError(
            f"updates must be an array [contributors, parameters], not one of shape {found.shape}"
        )
    if 0 in found.shape:
        raise ValueError(f"there is nothing to aggregate in an array of shape {found.shape}")
    return found if found.dtype.isnative else found.astype(found.dtype.newbyteorder("="))


def widen(chunk: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Turn half precision into float32, which holds all of it exactly; leave float32 and float64 as they are."""
    return chunk if chunk.dtype.itemsize >= 4 else chunk.astype(np.float32)


def refuse_unusable(chunk: np.ndarray[Any, Any]) -> None:
    """Raise ``UnusableUpdateError`` for the first row with NaN, infinity or magnitudes above 2^1000."""
    for row, values in enumerate(chunk):
        if not np.isfinite(values).all():
            raise UnusableUpdateError(row, "NaN" if np.isnan(values).any() else "infinity")
        if chunk.dtype.itemsize > 4 and np.abs(values).max() > LARGEST:
            raise UnusableUpdateError(row, "numbers too large to compute with, above 2^1000")


def is_usable(low: float, high: float) -> bool:
    """Say whether a chunk with these extremes is fit to compute with; NaN among the values makes both NaN."""
    return low >= -LARGEST and high <= LARGEST
