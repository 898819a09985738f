"""The first read of an update: its digests, and whether its values are numbers."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from provenance.aggregation.rounds.layout import GRID, Layout, Piece, layout_of, pieces
from provenance.aggregation.rounds.sealing import Tag, new_tag
from provenance.aggregation.rounds.values import largest, widened
from provenance.errors import Malformed
from provenance.scanning.safetensors import MAX_HEADER_BYTES, Header, header_length, parse_header

__all__ = ["Examined", "Offsets", "examine_update", "offsets_of", "read_header", "read_values"]

_SLICE = 1 << 20
_RUN = 16  # pieces


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """What one read showed: the file's SHA-256, the root digest by which it is known, and what its values are.

    ``tags`` are those that ``tag`` gives the pieces of the layout, in their order: later reads are proven by them
    (some of them, by number, where only some pieces will be read).
    ``finite`` is False for a NaN or an infinity; ``square`` is the squared Euclidean norm of all values, and
    ``overflowing`` names a tensor whose norm its own dtype cannot hold ("" for none).
    """

    sha256: bytes
    digest: bytes
    layout: Layout
    tag: Tag
    tags: Sequence[bytes] | Mapping[int, bytes]
    finite: bool
    square: float
    overflowing: str = ""


class Offsets(NamedTuple):
    """Where the elements of each tensor of a layout lie in one file: the first byte, and bytes an element."""

    first: tuple[int, ...]
    dtypes: tuple[np.dtype[Any], ...]


def read_header(descriptor: int) -> tuple[Header, int]:
    """Read and prove the header of an open safetensors file; raises ``Malformed`` (FMT003) or ``OSError``."""
    size = os.fstat(descriptor).st_size
    length = header_length(os.pread(descriptor, 8, 0), size)
    return parse_header(os.pread(descriptor, 8 + min(length, MAX_HEADER_BYTES), 0), size), size


def offsets_of(header: Header, layout: Layout) -> Offsets:
    """Say where the columns of a layout lie; raises ``Malformed`` (AGG008) for a dtype that cannot be averaged."""
    starts = {tensor.name: tensor.start for tensor in header.tensors}
    dtypes = tuple(widened(span.dtype, span.name).stored for span in layout.spans)
    return Offsets(tuple(starts[span.name] for span in layout.spans), dtypes)


def examine_update(descriptor: int, tag: Tag | None = None) -> Examined:
    """Read a whole update once, from its first byte to its last; the tags are secret ones unless ``tag`` is given.

    Raises ``Malformed`` for what is no safetensors file or has a dtype without numbers, and ``OSError``.
    """
    header, size = read_header(descriptor)
    layout = layout_of(header)
    offsets = offsets_of(header, layout)
    whole = hashlib.sha256()
    whole.update(os.pread(descriptor, header.data_start, 0))
    cuts = list(pieces(layout))
    tag = tag or new_tag()
    tags, squares = [b""] * len(cuts), [0.0] * len(layout.spans)
    position, buffer = header.data_start, np.empty(_RUN * GRID * 8, np.uint8)
    for numbers in _runs(cuts, offsets):
        first = cuts[numbers[0]]
        length = sum(cuts[number].length for number in numbers)
        dtype = offsets.dtypes[first.span]
        values = buffer[: length * dtype.itemsize].view(dtype)
        read_values(descriptor, offsets, first.span, first.offset, values)
        whole.update(values.view(np.uint8).data)
        squares[first.span] += _square(values)
        position += values.nbytes
        for number in numbers:
            start = cuts[number].offset - first.offset
            tags[number] = tag(number, values[start : start + cuts[number].length].view(np.uint8).data)
    if position != size or os.pread(descriptor, 1, size):
        raise Malformed("the file changed its length while it was read", code="AGG011")
    found = whole.digest()
    return Examined(
        sha256=found,
        digest=hashlib.sha256(found).digest(),
        layout=layout,
        tag=tag,
        tags=tuple(tags),
        finite=all(math.isfinite(square) for square in squares),
        square=math.fsum(squares),
        overflowing=next((name for name in _overflowing(layout, offsets, squares)), ""),
    )


def _overflowing(layout: Layout, offsets: Offsets, squares: list[float]) -> Iterator[str]:
    for span, dtype, square in zip(layout.spans, offsets.dtypes, squares, strict=True):
        if dtype.kind not in "iu" and math.sqrt(square) > largest(dtype):
            yield span.name


def _runs(cuts: Sequence[Piece], offsets: Offsets) -> Iterator[range]:
    """Give the numbers of neighbouring pieces that are read at once, in the order of the file's bytes.

    That need not be the order of the tensors' names. Long reads keep threads from waiting for each other.
    """
    starts = [number for number, piece in enumerate(cuts) if not piece.offset]
    ends = [*starts[1:], len(cuts)]
    spans = sorted(zip(starts, ends, strict=True), key=lambda each: offsets.first[cuts[each[0]].span])
    for start, end in spans:
        for number in range(start, end, _RUN):
            yield range(number, min(number + _RUN, end))


def read_values(
    descriptor: int, offsets: Offsets, span: int, offset: int, into: np.ndarray[tuple[int], Any]
) -> np.ndarray[tuple[int], Any]:
    """Fill an array with elements of one tensor, as they are stored; raises ``OSError`` where the file is too short."""
    dtype, values = offsets.dtypes[span], into
    view = values.view(np.uint8).data
    at, done = offsets.first[span] + offset * dtype.itemsize, 0
    while done < len(view):
        read = os.preadv(descriptor, [view[done : done + _SLICE]], at + done)
        if not read:
            raise OSError("the file is shorter than it was")
        done += read
    return values


def _square(values: np.ndarray[tuple[int], Any]) -> float:
    """The sum of squares; NaN or infinite where a value is, and for nothing else."""
    if values.dtype == np.float32:
        # A sum in single precision is quick, and any value that is no number shows in it.
        with np.errstate(over="ignore", invalid="ignore"):
            quick = float(np.dot(values, values))
        if 1e-30 < quick < 1e30:
            return quick
    wide = values.astype(np.float64)
    peak = float(np.max(np.abs(wide), initial=0.0))
    if not math.isfinite(peak) or peak < 1e150:
        return float(np.dot(wide, wide))
    return 1e300  # finite, and above every bound
