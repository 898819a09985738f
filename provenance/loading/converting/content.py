"""Where the bytes of a tensor lie, and how they are laid out there; nothing is read before it is written."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple, TypeVar

from provenance.scanning.pickles.values import Bytes, Encoded, Text
from provenance.scanning.readers import BytesReader, Reader, SliceReader
from provenance.scanning.safetensors import BITS

__all__ = ["Array", "Uncarried", "array_over", "bytes_of", "once"]

_MAX_DIMENSIONS = 32  # what safetensors files may have here, and every numpy
_STEP = 1 << 16

Found = TypeVar("Found")


class Uncarried(Exception):
    """A value that has no place in a safetensors file; the message says what it is."""


class Array(NamedTuple):
    """A tensor of ``dtype`` (a name of safetensors): items of ``content`` from ``offset`` on, by ``strides`` in items.

    ``swap`` is the width in bytes of the numbers whose bytes are in the other order (big-endian), else 0.
    """

    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int
    content: Reader
    swap: int = 0

    @property
    def width(self) -> int:
        """Bytes of an item."""
        return BITS[self.dtype] // 8

    @property
    def nbytes(self) -> int:
        """Bytes of the tensor when it is written."""
        return prod(self.shape) * self.width

    @property
    def is_dense(self) -> bool:
        """Whether the items lie one behind the other in the order in which they are written."""
        expected = 1
        for size, stride in zip(reversed(self.shape), reversed(self.strides), strict=True):
            if size != 1 and stride != expected:
                return False
            expected *= size
        return True


def _dense(shape: tuple[int, ...], *, fortran: bool = False) -> tuple[int, ...]:
    """Strides, in items, of an array without gaps; the first axis runs fastest in Fortran's order."""
    strides, step = [], 1
    for size in shape if fortran else reversed(shape):
        strides.append(step)
        step *= size
    return tuple(strides if fortran else reversed(strides))


def array_over(
    content: Reader,
    dtype: str,
    shape: object,
    strides: object = None,
    offset: object = 0,
    *,
    swap: int = 0,
    fortran: bool = False,
) -> Array:
    """An array over ``content`` after everything it is said to be was checked; dense without strides.

    Raises Uncarried.
    """
    sizes = _numbers(shape)
    steps = _dense(sizes, fortran=fortran) if strides is None else _numbers(strides)
    if len(sizes) != len(steps) or len(sizes) > _MAX_DIMENSIONS:
        raise Uncarried(f"a tensor of {len(sizes)} dimensions and {len(steps)} strides")
    if not isinstance(offset, int) or not 0 <= offset < 1 << 63:
        raise Uncarried("a tensor at no offset")
    array = Array(dtype, sizes, steps, offset, content, swap)
    largest = prod(size or 1 for size in sizes) * array.width
    last = offset + sum((size - 1) * step for size, step in zip(sizes, steps, strict=True))
    if largest >= 1 << 63 or (0 not in sizes and (last + 1) * array.width > content.size):
        raise Uncarried(f"a tensor of shape {list(sizes)[:8]} that reaches beyond its {content.size} bytes")
    return array


def once(function: Callable[[Any], Found]) -> Callable[[Any], Found]:
    """The same function, which works once for each object, however many others hold it; the objects must stay alive.

    That it raised Uncarried is remembered too.
    """
    known: dict[int, Found | Uncarried] = {}

    def remembering(value: Any) -> Found:
        if id(value) not in known:
            try:
                known[id(value)] = function(value)
            except Uncarried as error:
                known[id(value)] = error
        found = known[id(value)]
        if isinstance(found, Uncarried):
            raise Uncarried(str(found))
        return found

    return remembering


def _numbers(value: object) -> tuple[int, ...]:
    """Sizes or strides: whole numbers that are not negative."""
    if not isinstance(value, tuple) or not all(isinstance(one, int) and 0 <= one < 1 << 63 for one in value):
        raise Uncarried("a tensor whose shape is none")
    return value


def bytes_of(value: object, reader: Reader) -> Reader:
    """The bytes that a value stands for, in a pickle that ``reader`` reads. Raises Uncarried."""
    if isinstance(value, Bytes):
        return SliceReader(reader, value.start, value.length)
    if isinstance(value, Encoded):
        value = value.text
    if isinstance(value, str):
        return BytesReader(_latin1(value))
    if isinstance(value, Text):
        if value.form == "bytes":
            return SliceReader(reader, value.start, value.length)
        if value.form == "escaped":
            return BytesReader(_unescaped(reader.read_at(value.start, value.length)))
        return _TextReader(reader, value)
    raise Uncarried("values that are no bytes")


def _unescaped(line: bytes) -> bytes:
    """A string of Python 2 between its quotes."""
    try:
        return codecs.escape_decode(line[1:-1])[0]
    except ValueError as error:
        raise Uncarried("a string with a wrong escape") from error


def _latin1(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError as error:
        raise Uncarried("text that stands for no bytes") from error


class _TextReader:
    """Bytes written as text (before protocol 3), decoded as they are read: never more than a step of them in memory."""

    def __init__(self, reader: Reader, text: Text) -> None:
        self._source = SliceReader(reader, text.start, text.length)
        self._encoding = "utf-8" if text.form == "utf-8" else "raw-unicode-escape"
        self._restart()
        self.size = 0
        while part := self._next():
            self.size += len(part)
        self._restart()

    def _restart(self) -> None:
        self._decoder = codecs.getincrementaldecoder(self._encoding)()
        self._read, self._given, self._left = 0, 0, b""

    def _next(self) -> bytes:
        """The next bytes; none only at the end."""
        while self._read < self._source.size:
            data = self._source.read_at(self._read, _STEP)
            self._read += len(data)
            try:
                part = self._decoder.decode(data, final=self._read >= self._source.size)
            except UnicodeDecodeError as error:
                raise Uncarried("text that stands for no bytes") from error
            if part:
                return _latin1(part)
        return b""

    def read_at(self, offset: int, length: int) -> bytes:
        """See ``Reader``; quick only where reading goes forward."""
        if offset < self._given:
            self._restart()
        skip, wanted = offset - self._given, max(0, min(length, self.size - offset))
        parts: list[bytes] = []
        while wanted:
            part, self._left = self._left or self._next(), b""
            self._given += len(part)
            if skip >= len(part):
                skip -= len(part)
                continue
            part, rest = part[skip : skip + wanted], part[skip + wanted :]
            self._left, skip = rest, 0
            self._given -= len(rest)
            wanted -= len(part)
            parts.append(part)
        return b"".join(parts)
