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

__all__ = ["Examination", "Examined", "Offsets", "examine_update", "offsets_of", "read_header", "read_values"]

_SLICE = 1 << 20
_RUN = 16  # pieces
_SHORT = 8192  # numbers whose sum of squares is taken in one thread, in every BLAS that is known


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """What one read showed: the file's SHA-256, the root digest by which it is known, and what its values are.

    ``tags`` are those that ``tag`` gives the pieces of the layout, cut at multiples of ``step``, in their order: later
    reads are proven by them (some of them, by number, where only some pieces will be read; none where no later read
    was expected).
    ``finite`` is False for a NaN or an infinity; ``square`` is the squared Euclidean norm of all values, and
    ``overflowing`` names a tensor whose norm its own dtype cannot hold ("" for none).
    """

    sha256: bytes
    digest: bytes
    layout: Layout
    tag: Tag | None
    tags: Sequence[bytes] | Mapping[int, bytes]
    step: int = GRID
    finite: bool
    square: float
    overflowing: str = ""


class Offsets(NamedTuple):
    """Where the elements of each tensor of a layout lie in one file: the first byte, and bytes an element."""

    first: tuple[int, ...]
    dtypes: tuple[np.dtype[Any], ...]


def read_header(descriptor: int) -> tuple[Header, int]:
    """Read and prove the header of an open safetensors file; raises ``Malformed`` (FMT003) or ``OSError``."""
    head, size = _read_head(descriptor)
    return parse_header(head, size), size


def _read_head(descriptor: int) -> tuple[bytes, int]:
    size = os.fstat(descriptor).st_size
    length = header_length(os.pread(descriptor, 8, 0), size)
    return os.pread(descriptor, 8 + min(length, MAX_HEADER_BYTES), 0), size


def offsets_of(header: Header, layout: Layout) -> Offsets:
    """Say where the columns of a layout lie; raises ``Malformed`` (AGG008) for a dtype that cannot be averaged."""
    starts = {tensor.name: tensor.start for tensor in header.tensors}
    dtypes = tuple(widened(span.dtype, span.name).stored for span in layout.spans)
    return Offsets(tuple(starts[span.name] for span in layout.spans), dtypes)


class Examination:
    """What is learned of one update while its bytes pass by, in the order of the file.

    The header is read here, and what is hashed is what was parsed. Raises ``Malformed`` for what is no safetensors file
    or has a dtype without numbers, and ``OSError``. Without a ``tag``, later reads cannot be proven; ``step`` is how
    its pieces are cut.
    """

    def __init__(self, descriptor: int, tag: Tag | None) -> None:
        head, self.size = _read_head(descriptor)
        self.header = parse_header(head, self.size)
        self.layout = layout_of(self.header)
        self.offsets = offsets_of(self.header, self.layout)
        self._descriptor = descriptor
        self._whole = hashlib.sha256(memoryview(head)[: self.header.data_start])
        self._position = self.header.data_start
        self.tag, self.step = tag, GRID
        self._tags: dict[int, bytes] = {}
        self._squares = [0.0] * len(self.layout.spans)

    @property
    def finite(self) -> bool:
        """Say whether all values so far are numbers."""
        return math.isfinite(sum(self._squares))

    def take(
        self,
        cuts: Sequence[Piece],
        numbers: range,
        values: np.ndarray[tuple[int], Any],
        computed: np.ndarray[tuple[int], Any] | None = None,
    ) -> None:
        """Take in the stored values of neighbouring pieces, which are the next bytes of the file.

        ``computed`` are the same values, where somebody has them already in the dtype that is computed with.
        """
        self._whole.update(values.view(np.uint8).data)
        self._position += values.nbytes
        first = cuts[numbers[0]].start
        with np.errstate(over="ignore", invalid="ignore"):
            for number in numbers:
                piece = cuts[number]
                place = slice(piece.start - first, piece.start - first + piece.length)
                self._squares[piece.span] += _square((values if computed is None else computed)[place])
                if self.tag is not None:
                    self._tags[number] = self.tag(number, values[place].view(np.uint8).data)

    def found(self) -> Examined:
        """Conclude, once all bytes have passed; raises ``Malformed`` (AGG011) where the file has more or fewer."""
        if self._position != self.size or os.pread(self._descriptor, 1, self.size):
            raise Malformed("the file changed its length while it was read", code="AGG011")
        whole = self._whole.digest()
        return Examined(
            sha256=whole,
            digest=hashlib.sha256(whole).digest(),
            layout=self.layout,
            tag=self.tag,
            tags=tuple(self._tags[number] for number in range(len(self._tags))),
            step=self.step,
            finite=all(math.isfinite(square) for square in self._squares),
            square=math.fsum(self._squares),
            overflowing=next((name for name in _overflowing(self.layout, self.offsets, self._squares)), ""),
        )


def examine_update(descriptor: int, tag: Tag | None = None) -> Examined:
    """Read a whole update once, from its first byte to its last; the tags are secret ones unless ``tag`` is given.

    Raises ``Malformed`` for what is no safetensors file or has a dtype without numbers, and ``OSError``.
    """
    one = Examination(descriptor, tag or new_tag())
    cuts = list(pieces(one.layout))
    buffer = np.empty(_RUN * GRID * 8, np.uint8)
    for numbers in _runs(cuts, one.offsets):
        first = cuts[numbers[0]]
        length = sum(cuts[number].length for number in numbers)
        dtype = one.offsets.dtypes[first.span]
        values = buffer[: length * dtype.itemsize].view(dtype)
        read_values(descriptor, one.offsets, first.span, first.offset, values)
        one.take(cuts, numbers, values)
    return one.found()


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
    if values.itemsize <= 4 and values.dtype.kind not in "iu":
        # A sum in single precision is quick, and any value that is no number shows in it.
        quick = _quick_square(values.astype(np.float32, copy=False))
        if 1e-30 < quick < 1e30:
            return quick
    return sum(_wide_square(values[first : first + _SHORT]) for first in range(0, len(values), _SHORT))


def _quick_square(values: np.ndarray[tuple[int], Any]) -> float:
    rows = values[: len(values) // _SHORT * _SHORT].reshape(-1, 1, _SHORT)
    rest = values[rows.size :]
    return float(np.matmul(rows, rows.transpose(0, 2, 1)).sum(dtype=np.float64)) + float(np.dot(rest, rest))


def _wide_square(values: np.ndarray[tuple[int], Any]) -> float:
    wide = values.astype(np.float64)
    peak = float(np.max(np.abs(wide), initial=0.0))
    if not math.isfinite(peak) or peak < 1e150:
        return float(np.dot(wide, wide))
    return 1e300  # finite, and above every bound
