"""Matching the records of a curated data set to those of its inputs, by hash: whoever filtered them need not know.

A record that is in an input byte for byte keeps its origin. Where, between two such neighbours in an input, as many
records were replaced as are new in the output, the new ones are taken for edited: each is said to come from the one
in its place. The rest is of unknown origin.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from provenance.artifacts.merkle import DIGEST_SIZE

__all__ = ["ORIGIN_BYTES", "UNKNOWN", "Origins", "match_records", "origin_at"]

# Batch and leaf, each four bytes, little-endian.
ORIGIN_BYTES: Final = 8
UNKNOWN: Final = 2**32 - 1
_LISTED: Final = 1000

_Pairs = npt.NDArray[np.uint32]
_Indices = npt.NDArray[np.int64]


class Origins(NamedTuple):
    """Where each record of the output is from, ``[n, 2]`` little-endian uint32 of input and leaf, and the counts.

    ``unchanged`` and ``edited`` count the records of each input; the lists hold the first thousand indices.
    """

    pairs: _Pairs
    unchanged: tuple[int, ...]
    edited: tuple[int, ...]
    unknown: int
    edited_records: tuple[int, ...]
    unknown_records: tuple[int, ...]

    def to_bytes(self) -> bytes:
        """Return the content of the sidecar: eight bytes a record."""
        return self.pairs.astype("<u4").tobytes()


def match_records(output: bytes, inputs: Sequence[bytes]) -> Origins:
    """Match joined 32-byte leaves of the output to those of each input; of equal ones the first in order counts."""
    sizes = [len(leaves) // DIGEST_SIZE for leaves in inputs]
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    found = _positions(output, b"".join(inputs))
    edited = _edited(found, starts)
    placed = np.where(edited >= 0, edited, found)
    batches = np.searchsorted(starts, placed, side="right") - 1
    known = placed >= 0
    pairs = np.full((len(found), 2), UNKNOWN, dtype=np.uint32)
    pairs[known, 0] = batches[known]
    pairs[known, 1] = (placed - starts[batches])[known]
    count = len(inputs)
    return Origins(
        pairs=pairs,
        unchanged=_counts(batches[found >= 0], count),
        edited=_counts(batches[edited >= 0], count),
        unknown=int((~known).sum()),
        edited_records=tuple(np.flatnonzero(edited >= 0)[:_LISTED].tolist()),
        unknown_records=tuple(np.flatnonzero(~known)[:_LISTED].tolist()),
    )


def origin_at(origins: bytes, index: int) -> tuple[int, int] | None:
    """Return input and leaf of a record from the content of a sidecar; None where it is unknown or not there."""
    pair = origins[index * ORIGIN_BYTES : (index + 1) * ORIGIN_BYTES]
    if index < 0 or len(pair) != ORIGIN_BYTES:
        return None
    batch, leaf = int.from_bytes(pair[:4], "little"), int.from_bytes(pair[4:], "little")
    return None if UNKNOWN in {batch, leaf} else (batch, leaf)


def _counts(batches: _Indices, count: int) -> tuple[int, ...]:
    return tuple(np.bincount(batches, minlength=count)[:count].tolist())


def _positions(output: bytes, leaves: bytes) -> _Indices:
    """Return where each leaf of the output is among those of all inputs, -1 where it is not."""
    wanted, there = _table(output), _table(leaves)
    found = np.full(len(wanted), -1, dtype=np.int64)
    if not len(there) or not len(wanted):
        return found
    order = np.argsort(there[:, 0], kind="stable")
    first = there[order, 0]
    low = np.searchsorted(first, wanted[:, 0], side="left")
    # Equal in the first eight bytes: all but always the one, or equal records in their order.
    open_ = np.flatnonzero(low < len(first))
    low = low[open_]
    while len(open_):
        candidates = order[low]
        same = (there[candidates] == wanted[open_]).all(axis=1)
        found[open_[same]] = candidates[same]
        low = low + 1
        again = ~same & (low < len(first))
        again[again] = first[low[again]] == wanted[open_[again], 0]
        open_, low = open_[again], low[again]
    return found


def _table(leaves: bytes) -> npt.NDArray[np.uint64]:
    return np.frombuffer(leaves, dtype="<u8").reshape(-1, DIGEST_SIZE // 8)


def _edited(found: _Indices, starts: _Indices) -> _Indices:
    """Return, for runs of new records that took the place of as many old ones, the positions of the old ones."""
    edited = np.full(len(found), -1, dtype=np.int64)
    taken = np.zeros(int(starts[-1]) + 1, dtype=bool)
    taken[found[found >= 0]] = True
    new = np.flatnonzero(np.diff(np.concatenate([[0], (found < 0).astype(np.int8), [0]])))
    for begin, end in new.reshape(-1, 2).tolist():
        place = _replaced(found, starts, begin, end)
        if place >= 0 and not taken[place : place + end - begin].any():
            edited[begin:end] = np.arange(place, place + end - begin)
    return edited


def _replaced(found: _Indices, starts: _Indices, begin: int, end: int) -> int:
    """Return where the records lay that a run may have replaced: as many, between the same neighbours; else -1."""
    length = end - begin
    before = int(found[begin - 1]) if begin else -1
    after = int(found[end]) if end < len(found) else -1
    if before >= 0 and after >= 0:
        return (
            before + 1
            if after == before + 1 + length and _batch(starts, before) == _batch(starts, after)
            else -1
        )
    if before >= 0:
        at_end = int(starts[_batch(starts, before) + 1])
        return before + 1 if at_end - before - 1 == length else -1
    if after >= 0:
        at_start = int(starts[_batch(starts, after)])
        return at_start if after - at_start == length else -1
    return -1


def _batch(starts: _Indices, position: int) -> int:
    return int(np.searchsorted(starts, position, side="right")) - 1
