"""Protocol buffers, walked field by field over a reader: nothing is decoded that is not asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from provenance.scanning.readers import Reader

__all__ = ["BrokenMessage", "Field", "fields", "text"]

_WINDOW = 8192


class BrokenMessage(Exception):
    """The bytes are no message."""


class Field(NamedTuple):
    """A field: its number, its value where it is a number, and where its bytes lie."""

    number: int
    value: int
    start: int
    end: int


def fields(reader: Reader, start: int, end: int) -> Iterator[Field]:
    """The fields of the message in ``[start, end)``, in order. Raises BrokenMessage."""
    pos, base, data = start, start, b""
    while pos < end:
        if pos - base + 24 > len(data):
            base, data = pos, reader.read_at(pos, min(_WINDOW, end - pos))
        key, at = _varint(data, pos - base)
        wire, number = key & 7, key >> 3
        value = 0
        if wire in (0, 2):
            value, at = _varint(data, at)
        begin = base + at
        length = {0: 0, 1: 8, 2: value, 5: 4}.get(wire, -1)
        if length < 0 or not number or begin + length > end:
            raise BrokenMessage(f"a field at byte {pos} is none, or longer than its message")
        yield Field(number, value, begin, begin + length)
        pos = begin + length


def text(reader: Reader, field: Field, limit: int = 4096) -> str:
    """The string of a field, at most ``limit`` bytes of it."""
    return reader.read_at(field.start, min(limit, field.end - field.start)).decode("utf-8", "replace")


def _varint(data: bytes, pos: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if pos >= len(data):
            break
        byte = data[pos]
        pos += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, pos
    raise BrokenMessage("a number does not end")
