"""The first read of many updates, side by side: the bytes that are hashed are those that are computed with.

Each file is read once, range by range, into a buffer. There its bytes go into its digest, and what is to be done with
the columns is done with what the buffer holds. For a rule that takes one pass nothing is read twice; for the others
later passes are proven by tags, as always. What comes of it counts for nothing until the digests are known to be those
that were signed.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from itertools import cycle, zip_longest
from typing import Any, Final, NamedTuple

import numpy as np

from provenance.aggregation.passes import Pass, over_threads, ranges_of, threads_for
from provenance.aggregation.rounds.examining import Examination, Examined, read_values
from provenance.aggregation.rounds.layout import pieces
from provenance.aggregation.rounds.stream import OpenUpdate, StreamedUpdates
from provenance.aggregation.rounds.values import widened
from provenance.aggregation.scratch import aligned, forget
from provenance.aggregation.updates import BLOCK
from provenance.aggregation.workers import Submit, workers

__all__ = ["MisguessedError", "SideBySide", "is_straight"]

# What all rows of a range take: little enough to stay in a shared cache between hashing and computing.
RANGE_BYTES: Final = 8 * 1024 * 1024


class _Range(NamedTuple):
    """Some columns of all rows, in memory."""

    start: int
    stop: int
    rows: np.ndarray[tuple[int, int], Any]


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
        # In the only pass. A difference of finite numbers may be infinite, and a double too large to compute with.
        single = all(one.tag is None for one in self._examinations)
        self.prepared = single and base is None and self._stored != np.float64
        self.step = max(1, RANGE_BYTES // (self.n * self.dtype.itemsize) // BLOCK) * BLOCK
        for one in self._examinations:
            one.step = self.step
        self._cuts = tuple(pieces(self.layout, self.step))
        self._starts = [piece.start for piece in self._cuts]
        self._base = StreamedUpdates([base], self.layout) if base is not None else None
        self._threads = threads_for(self, threads)
        ranges = ranges_of(self, self.step)
        self._ranges = iter(ranges)
        self._buffers: Iterator[np.ndarray[tuple[int, int], Any]] = cycle(
            aligned((2, self.n, ranges[0][1]), self.dtype)
        )
        self._now = _Range(0, 0, np.empty((self.n, 0), self.dtype))
        self._again: StreamedUpdates | None = None

    def chunks(self, start: int, stop: int) -> np.ndarray[tuple[int, int], Any]:
        """Give columns of the range at hand; raises ``MisguessedError`` where others are asked for."""
        if not self._now.stop:
            self._begin()
        now = self._now
        if not now.start <= start <= stop <= now.stop:
            raise MisguessedError
        return now.rows[:, start - now.start : stop - now.start]

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
        with workers(self._threads) as submit:
            if not self._now.stop:
                self._begin()
            while self._now.stop:
                yield from self._step(submit, work)
        forget()
        self._conclude()

    def _begin(self) -> None:
        self._now, reads = self._following()
        for read in reads:
            read()

    def _step(self, submit: Submit[Any], work: Pass) -> Iterator[Any]:
        """Compute with the range at hand while the next one is read: hashing leaves Python to the other threads."""
        following, reads = self._following()
        parts = [partial(work, self, *part) for part in self._parts()]
        computing, reading = [], []
        for part, read in zip_longest(parts, reads):
            if read is not None:
                reading.append(submit(read))
            if part is not None:
                computing.append(submit(part))
        for future in computing:
            yield future.result()
        for future in reading:
            future.result()
        self._now = following

    def _following(self) -> tuple[_Range, list[Callable[[], None]]]:
        """Give the next range, or an empty one, and what fills its rows."""
        start, stop = next(self._ranges, (0, 0))
        following = _Range(start, stop, next(self._buffers)[:, : stop - start])
        if not stop:
            return following, []
        centre = self._base.chunks(start, stop)[0] if self._base is not None else None
        shares = [range(first, self.n, self._threads) for first in range(self._threads)]
        return following, [partial(self._read, following, centre, share) for share in shares]

    def _read(self, into: _Range, centre: np.ndarray[tuple[int], Any] | None, share: range) -> None:
        numbers = range(
            bisect.bisect_left(self._starts, into.start), bisect.bisect_left(self._starts, into.stop)
        )
        as_is = self._stored == self.dtype
        raw = np.empty(0 if as_is else into.stop - into.start, self._stored)
        for number in share:
            one, row = self._examinations[number], into.rows[number]
            values = row if as_is else raw
            read_values(self._descriptors[number], one.offsets, 0, into.start, values)
            if not as_is:
                row[:] = raw
            one.take(self._cuts, numbers, values, row)
            if not one.finite:
                raise MisguessedError
            if centre is not None:
                row -= centre

    def _parts(self) -> list[tuple[int, int]]:
        """Cut the range at hand into one part a thread, on the grid."""
        start, stop, _ = self._now
        step = -(-(stop - start) // (BLOCK * self._threads)) * BLOCK
        return [(first, min(first + step, stop)) for first in range(start, stop, step)]

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
        self._now = _Range(0, 0, self._now.rows[:, :0].copy())
        self._buffers = iter(())  # a later pass has its own
