"""A small assembler of pickles: the opcodes of plain values (``Lib/pickletools.py``)."""

from __future__ import annotations

import struct
from typing import Any

__all__ = ["MARKER", "counted", "framed", "glob", "line", "long_text", "push", "short_text", "tuple_of"]

MARKER = "/tmp/provenance-benchmark-marker"  # a payload would touch it; nothing ever does


def short_text(text: str) -> bytes:
    """SHORT_BINUNICODE, or BINUNICODE where it is too long for that."""
    data = text.encode()
    return b"\x8c" + bytes([len(data)]) + data if len(data) < 256 else long_text(text)


def long_text(text: str) -> bytes:
    """BINUNICODE."""
    return b"X" + counted(text.encode(), "<I")


def counted(data: bytes, width: str) -> bytes:
    """Bytes behind their length."""
    return struct.pack(width, len(data)) + data


def line(text: str) -> bytes:
    """An argument that ends with a line feed."""
    return text.encode() + b"\n"


def glob(module: str, name: str) -> bytes:
    """GLOBAL."""
    return b"c" + line(module) + line(name)


def framed(body: bytes) -> bytes:
    """FRAME around a body."""
    return b"\x95" + counted(body, "<Q")


def push(value: Any) -> bytes:  # noqa: PLR0911 - one return a type
    """Opcodes that push a plain value."""
    if value is None:
        return b"N"
    if isinstance(value, bool):
        return b"\x88" if value else b"\x89"
    if isinstance(value, str):
        return short_text(value)
    if isinstance(value, bytes):
        return b"B" + counted(value, "<I")
    if isinstance(value, int):
        return b"J" + struct.pack("<i", value)
    if isinstance(value, float):
        return b"G" + struct.pack(">d", value)
    if isinstance(value, tuple):
        return tuple_of(*map(push, value))
    if isinstance(value, list):
        return b"](" + b"".join(map(push, value)) + b"e"
    return b"}(" + b"".join(push(part) for pair in value.items() for part in pair) + b"u"


def tuple_of(*items: bytes) -> bytes:
    """A tuple of values that are opcodes already."""
    return b"(" + b"".join(items) + b"t"
