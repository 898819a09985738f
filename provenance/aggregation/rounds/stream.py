"""Verified updates as a stream of columns: every byte that is computed with is proven by the pass that reads it."""

from __future__ import annotations

import bisect
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from provenance.aggregation.rounds.examining import (
    Examined,
    Offsets,
    examine_update,
    offsets_of,
    read_header,
    read_values,
)
from provenance.aggregation.rounds.layout import GRID, Layout, Piece, pieces
from provenance.aggregation.rounds.values import widened
from provenance.errors import Malformed, Refused

__all__ = ["OpenUpdate", "StreamedUpdates"]


class OpenUpdate:
    """An update that stays open from its first read to its last: later reads must give what the first one gave.

    ``path`` is where another process can open it.
    """

    def __init__(self, name: str, descriptor: int, examined: Examined, path: Path | None = None) -> None:
        self.name = name
        self.path = path or Path(name)
        self.descriptor = descriptor
        self.examined = examined
        self._offsets: Offsets | None = None

    @property
    def size(self) -> int:
        """The bytes of the file."""
        return os.fstat(self.descriptor).st_size

    def piece(
        self, number: int, piece: Piece, into: np.ndarray[tuple[int], Any] | None = None
    ) -> np.ndarray[tuple[int], Any]:
        """Read the piece of this number and prove it, into an array of the stored dtype where one is given.

        Raises ``Refused`` (AGG015) where it is not what was verified.
        """
        try:
            if self._offsets is None:
                self._offsets = offsets_of(read_header(self.descriptor)[0], self.examined.layout)
            dtype = self._offsets.dtypes[piece.span]
            values = np.empty(piece.length, dtype) if into is None or into.dtype != dtype else into
            read_values(self.descriptor, self._offsets, piece.span, piece.offset, values)
        except (OSError, Malformed, KeyError) as error:
            raise self._changed() from error
        tag = self.examined.tag
        if tag is None or tag(number, values.view(np.uint8).data) != self.examined.tags[number]:
            raise self._changed()
        return values

    def tagged(self) -> OpenUpdate:
        """Read the whole update again where its first read left no tags, and prove that it is the same.

        Raises ``Refused`` (AGG015) where it is not.
        """
        if self.examined.tag is not None:
            return self
        try:
            again = examine_update(self.descriptor)
        except (OSError, Malformed) as error:
            raise self._changed() from error
        if again.sha256 != self.examined.sha256:
            raise self._changed()
        return OpenUpdate(self.name, self.descriptor, again, self.path)

    def _changed(self) -> Refused:
        return Refused(f"{self.name} changed while it was aggregated", code="AGG015")


class _Cuts(NamedTuple):
    """The pieces of a layout, and the first columns of them."""

    pieces: tuple[Piece, ...]
    starts: tuple[int, ...]


def _cut(layout: Layout, step: int) -> _Cuts:
    found = tuple(pieces(layout, step))
    return _Cuts(found, tuple(piece.start for piece in found))


class StreamedUpdates:
    """Updates of one layout as an array [n, d] of which blocks of columns are read on demand, from any thread.

    ``base`` is subtracted from every row where it is given. ``dtype`` is float64 where any tensor needs it, else
    float32. Rows that are ``spared`` are not read, and zero.
    """

    def __init__(
        self,
        updates: Sequence[OpenUpdate],
        layout: Layout,
        base: OpenUpdate | None = None,
        spared: Collection[int] = (),
    ) -> None:
        self.updates = tuple(updates)
        self.spared = frozenset(spared)
        self.prepared = False
        self.base = base
        self.layout = layout
        self.n = len(self.updates)
        self.d = layout.columns
        computed = {widened(span.dtype, span.name).computed for span in layout.spans}
        self.dtype = np.dtype(np.float64 if np.dtype(np.float64) in computed else np.float32)
        steps = {one.examined.step for one in (*self.updates, *filter(None, (base,)))}
        self.step = max(steps, default=GRID)
        self._cuts = {step: _cut(layout, step) for step in steps}

    @property
    def digests(self) -> tuple[str, ...]:
        """The root digests (hex) of the updates."""
        return tuple(update.examined.digest.hex() for update in self.updates)

    def chunks(self, start: int, stop: int) -> np.ndarray[tuple[int, int], Any]:
        """Return the columns ``[start, stop)`` as a new array [n, stop - start].

        Whole pieces are read and proven; blocks that begin and end at multiples of ``step`` read nothing twice.
        """
        rows = (np.zeros if self.spared else np.empty)((self.n, stop - start), self.dtype)
        read = [number for number in range(self.n) if number not in self.spared]
        for number in read:
            self._fill(self.updates[number], start, rows[number])
        if self.base is not None:
            center = np.empty(stop - start, self.dtype)
            self._fill(self.base, start, center)
            for number in read:
                rows[number] -= center
        return rows

    def sparing(self, rows: Collection[int]) -> StreamedUpdates:
        """Give the same updates where some rows need not be read."""
        return StreamedUpdates(self.updates, self.layout, self.base, self.spared.union(rows))

    def reads(self, update: OpenUpdate, start: int, stop: int) -> range:
        """Return the numbers of the pieces of an update that are read for the columns ``[start, stop)``."""
        starts = self._cuts[update.examined.step].starts
        return range(max(0, bisect.bisect_right(starts, start) - 1), bisect.bisect_left(starts, stop))

    def _fill(self, update: OpenUpdate, start: int, row: np.ndarray[tuple[int], Any]) -> None:
        cuts = self._cuts[update.examined.step].pieces
        for index in self.reads(update, start, start + len(row)):
            piece = cuts[index]
            low, high = max(piece.start, start), min(piece.start + piece.length, start + len(row))
            place = row[low - start : high - start]
            values = update.piece(index, piece, place if len(place) == piece.length else None)
            if values is not place:
                place[:] = values[low - piece.start : high - piece.start]
