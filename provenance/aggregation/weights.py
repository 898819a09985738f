"""How much of a result by coordinate is each row's: its mean weight over the columns, or over a sample of them.

In a column, each of the k values whose mean is the result has the weight 1/k. Rows that hold equal values share the
weight of these evenly (by voting right, where rights differ), so nothing hangs on the order of rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from provenance.aggregation.rule import Combination
from provenance.aggregation.updates import BLOCK, Floats

__all__ = ["SAMPLING", "Counts", "Sample", "Tally", "mean_weights"]

Counts = np.ndarray[tuple[int], np.dtype[np.int64]]
"""A row's weight in all columns together, as a whole number; they add up in any order."""

WINDOW: Final = 2048
GROUP: Final = 4 * BLOCK
SAMPLING: Final = f"{WINDOW}-of-{GROUP}/1"
"""The name by which a statement calls this way to sample; another way needs another name."""

TOGETHER: Final = 4096  # columns: few enough to stay in the cache

# One kept value. Up to 16 rows share it without a remainder; so do powers of two.
UNIT: Final = 720_720 << 6


@dataclass(frozen=True)
class Sample:
    """The columns of ``d`` that are looked at: one window of each group, where the ``seed`` says; without one, all.

    Whoever knows the seed only after all rows are fixed cannot have spared the windows.
    """

    d: int
    seed: bytes | None = None

    def windows(self, start: int, width: int) -> list[slice]:
        """Give the parts that are looked at of the columns ``[start, start + width)``, counted from ``start``."""
        stop = min(start + width, self.d)
        if self.seed is None:
            return [
                slice(first - start, min(first + GROUP, stop) - start) for first in range(start, stop, GROUP)
            ]
        groups = range(start // GROUP, -(-stop // GROUP))
        ends = ((max(first, start), min(first + WINDOW, stop)) for first in map(self._first, groups))
        return [slice(low - start, high - start) for low, high in ends if low < high]

    def _first(self, group: int) -> int:
        """Draw a group's window."""
        assert self.seed is not None
        places = -(-min(GROUP, self.d - group * GROUP) // WINDOW)
        drawn = hashlib.sha256(self.seed + group.to_bytes(8, "big")).digest()
        return group * GROUP + int.from_bytes(drawn[:8], "big") % places * WINDOW

    @property
    def columns(self) -> int:
        """How many columns are looked at."""
        return sum(window.stop - window.start for window in self.windows(0, self.d))


class Tally:
    """The weights of a kernel's rows in one part of the columns after the other.

    ``rows`` are their places in the parts. Several parts are counted together, which spares calls.
    """

    def __init__(self, rows: Sequence[int], rights: Floats | None) -> None:
        self._rows, self._rights = list(rows), rights
        self._counts: Counts = np.zeros(len(self._rows), np.int64)
        self._parts: list[tuple[Any, Any]] = []
        self._columns = 0

    def add(self, before: Any, kept: list[Any]) -> None:
        """Take in some columns as they were, which are kept here, and the values that were kept of them."""
        self._parts.append((before, np.stack(kept)))
        self._columns += before.shape[1]
        if self._columns >= TOGETHER:
            self._count()

    def total(self) -> Counts:
        """Give the weights in all columns so far."""
        if self._parts:
            self._count()
        return self._counts

    def _count(self) -> None:
        before, kept = (np.concatenate(each, axis=1) for each in zip(*self._parts, strict=True))
        for first in range(0, self._columns, TOGETHER):
            some = slice(first, first + TOGETHER)
            self._counts += _counted(before[self._rows, some], kept[:, some], self._rights)
        self._parts, self._columns = [], 0


def _counted(rows: Any, kept: Any, rights: Floats | None = None) -> Counts:
    """Give the weight of each of some rows [n, w] in all w columns, in units, from the values kept of each, [k, w].

    Every row between two kept values must have been kept; rows without a voting right never count.
    """
    low, high = kept.min(axis=0), kept.max(axis=0)
    inside = rows >= low
    inside &= rows <= high
    if rights is not None:
        inside &= (rights > 0)[:, None]
    counts: Counts = np.array([np.count_nonzero(row) for row in inside], np.int64)
    if rights is None and int(counts.sum()) == kept.size:  # no column has more than it kept
        return counts * UNIT
    counts = counts * UNIT + _correction(rows == low, _number(kept == low), rights)
    return counts + _correction((rows == high) & (low < high), _number(kept == high), rights)


def _number(which: Any) -> Floats:
    """Count along the rows; a product of small whole numbers is exact in whatever order, and quick."""
    found: Floats = np.ones(len(which)) @ which.astype(np.float64)
    return found


def _correction(alike: Any, taken: Floats, rights: Floats | None) -> Counts:
    """Of rows that are alike in a column [n, w], and were counted as one unit each, only so many were taken, [w]."""
    counted = alike.astype(np.float64)
    if rights is None:
        each = np.floor(UNIT * taken / np.maximum(_number(alike), 1)) - UNIT
        corrected = counted @ each  # sums below 2^53
    else:
        force = counted * rights[:, None]
        whole = force.sum(axis=0)
        each = np.floor(force * (UNIT * taken / np.where(whole > 0, whole, 1))) - UNIT * (force > 0)
        corrected = each.sum(axis=1)
    found: Counts = corrected.astype(np.int64)
    return found


def mean_weights(counts: Counts) -> Combination:
    """Turn counts over all columns into weights that add up to 1."""
    return Combination(counts.astype(np.float64), float(counts.sum()))
