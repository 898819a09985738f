"""The first read of many updates, side by side: the bytes that are hashed are those that are computed with.

Each file is read once, range by range, into a buffer. There its bytes go into its digest, and what is to be done with
the columns is done with what the buffer holds. For a rule that takes one pass nothing is read twice; for the others
later passes are proven by tags, as always. What comes of it counts for nothing until the digests are known to be those
that were signed.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

import numpy as np

from provenance.aggregation.arithmetic import refuse_flushing
from provenance.aggregation.passes import Pass, over_threads, ranges_of, threads_for
from provenance.aggregation.rounds.examining import Examination, Examined, read_values
from provenance.aggregation.rounds.layout import pieces
from provenance.aggregation.rounds.stream import OpenUpdate, StreamedUpdates
from provenance.aggregation.rounds.values import widened
from provenance.aggregation.updates import BLOCK

__all__ = ["MisguessedError", "SideBySide", "is_straight"]

# What all rows of a range take: little enough to stay in a shared cache between hashing and computing.
RANGE_BYTES: Final = 6 * 1024 * 1024

Each = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
"""Does something with each of some things, as ``map`` does."""


class MisguessedError(Exception):
    """The updates are not those that they were taken for, or more has to be known of them than one range shows."""


def is_straight(one: Examination) -> bool:
    """Say whether all values have one dtype and lie in the file in the order of the columns."""
    if len({span.dtype for span in one.layout.spans}) != 1:
        return False
    size = one.offsets.dtypes[0].itemsize
    starts = [one.header.data_start + size * span.start for span in one.layout.spans]
    return one.layout.columns > 0 and starts == list(one.offsets.first)


class SideBySide:
    """Straight updates of one layout as a source of columns: the first pass reads them, later ones read them again.

    ``base`` is subtracted from every row where it is given. ``digests`` are the root digests (hex) that the files are
    expected to have; ``MisguessedError`` is raised after the first pass where one has another.
    """

    def __init__(
        self,
        examinations: Mapping[str, Examination],
        descriptors: Mapping[str, int],
        digests: Sequence[str],
        *,
        base: OpenUpdate | None = None,
        threads: int | None = None,
    ) -> None:
        self.base = base
        self.names = tuple(examinations)
        self.digests = tuple(digests)
        self.examined: dict[str, Examined] = {}
        self._examinations = tuple(examinations.values())
        self._descriptors = tuple(descriptors[name] for name in self.names)
        self.layout = self._examinations[0].layout
        self.n, self.d = len(self.names), self.layout.columns
        self._stored, self.dtype = widened(self.layout.spans[0].dtype, self.layout.spans[0].name)
        self._cuts = tuple(pieces(self.layout))
        self._starts = [piece.start for piece in self._cuts]
        self._base = StreamedUpdates([base], self.layout) if base is not None else None
        self._threads = threads_for(self, threads)
        columns = max(1, RANGE_BYTES // (self.n * self.dtype.itemsize))
        self._ranges = iter(ranges_of(self, columns))
        self._start = self._stop = 0
        self._rows = np.empty((self.n, 0), self.dtype)
        self._again: StreamedUpdates | None = None

    def chunks(self, start: int, stop: int) -> np.ndarray[tuple[int, int], Any]:
        """Give columns of the range at hand; raises ``MisguessedError`` where others are asked for."""
        if not self._stop:
            self._advance(map)
        if not self._start <= start <= stop <= self._stop:
            raise MisguessedError
        return self._rows[:, start - self._start : stop - self._start]

    def sparing(self, rows: Collection[int]) -> StreamedUpdates:
        """Give the updates for a later pass, where some rows need not be read."""
        assert self._again is not None
        return self._again.sparing(rows)

    def passes(self, updates: Any, work: Pass) -> Iterator[Any]:
        """Take a pass; the first is the one that reads the files for the first time."""
        if self._again is not None:
            again = self._again if updates is self else updates
            yield from over_threads(again, work, threads=self._threads)
            return
        refuse_flushing()
        with ThreadPoolExecutor(self._threads, initializer=refuse_flushing) as pool:
            each: Each = pool.map if self._threads > 1 else map
            while self._stop or self._advance(each):
                yield from each(lambda part: work(self, *part), self._parts())
                if not self._advance(each):
                    break
        self._conclude()

    def _advance(self, each: Each) -> bool:
        """Read the next range of all files; False where there is none."""
        found = next(self._ranges, None)
        if found is None:
            return False
        self._start, self._stop = found
        width = self._stop - self._start
        if self._rows.shape[1] != width:
            self._rows = np.empty((self.n, width), self.dtype)
        centre = self._base.chunks(*found)[0] if self._base is not None else None
        shares = [range(first, self.n, self._threads) for first in range(self._threads)]
        list(each(partial(self._read, centre), shares))
        return True

    def _read(self, centre: np.ndarray[Any, Any] | None, share: range) -> None:
        numbers = range(
            bisect.bisect_left(self._starts, self._start), bisect.bisect_left(self._starts, self._stop)
        )
        raw = np.empty(self._stop - self._start, self._stored)
        for number in share:
            one, row = self._examinations[number], self._rows[number]
            values = row if self._stored == self.dtype else raw
            read_values(self._descriptors[number], one.offsets, 0, self._start, values)
            one.take(self._cuts, numbers, values)
            if values is not row:
                row[:] = values
            if centre is not None:
                row -= centre

    def _parts(self) -> list[tuple[int, int]]:
        """Cut the range at hand into one part a thread, on the grid."""
        blocks = -(-(self._stop - self._start) // BLOCK)
        step = -(-blocks // self._threads) * BLOCK
        return [(start, min(start + step, self._stop)) for start in range(self._start, self._stop, step)]

    def _conclude(self) -> None:
        found = {name: one.found() for name, one in zip(self.names, self._examinations, strict=True)}
        self.examined = found
        if tuple(each.digest.hex() for each in found.values()) != self.digests:
            raise MisguessedError
        updates = [
            OpenUpdate(name, descriptor, found[name])
            for name, descriptor in zip(self.names, self._descriptors, strict=True)
        ]
        self._again = StreamedUpdates(updates, self.layout, self.base)
