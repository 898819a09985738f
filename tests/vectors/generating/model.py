"""What a vector is, and the pieces of pickles that vectors are made of."""

from __future__ import annotations

import struct
from typing import NamedTuple

__all__ = ["MARKER", "Vector", "bad", "call", "frame", "glob", "good", "long", "name_pair", "short", "undecided", "utf8"]

MARKER = "marker"  # a directory that a payload makes where it is run: all that it does

Pieces = tuple[tuple[bytes, int], ...]  # bytes, and how often they are repeated


class Vector(NamedTuple):
    """A file by its pieces, and what scanning it is to find: the rule ids of all errors, no more and no fewer.

    ``runs``: Python's own unpickler, given the file, makes the marker: the danger is real.
    """

    name: str
    pieces: Pieces
    decision: str
    rules: tuple[str, ...]
    file: str
    runs: bool


def good(name: str, *data: bytes | tuple[bytes, int], file: str = "model.pkl") -> Vector:
    """A harmless file that looks like a dangerous one."""
    return Vector(name, _pieces(data), "accepted", (), file, runs=False)


def bad(name: str, rules: str, *data: bytes | tuple[bytes, int], file: str = "model.pkl", runs: bool = False) -> Vector:
    return Vector(name, _pieces(data), "refused", tuple(sorted(rules.split())), file, runs)


def undecided(name: str, rules: str, *data: bytes | tuple[bytes, int], file: str = "model.pkl") -> Vector:
    return Vector(name, _pieces(data), "undecided", tuple(sorted(rules.split())), file, runs=False)


def _pieces(data: tuple[bytes | tuple[bytes, int], ...]) -> Pieces:
    return tuple((piece, 1) if isinstance(piece, bytes) else piece for piece in data)


def short(text: str | bytes) -> bytes:
    """SHORT_BINUNICODE."""
    raw = utf8(text)
    return b"\x8c" + bytes([len(raw)]) + raw


def long(text: str | bytes) -> bytes:
    """BINUNICODE."""
    raw = utf8(text)
    return b"X" + struct.pack("<I", len(raw)) + raw


def utf8(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def glob(module: str, name: str) -> bytes:
    """GLOBAL."""
    return f"c{module}\n{name}\n".encode()


def name_pair(module: str, name: str) -> bytes:
    """STACK_GLOBAL with short strings."""
    return short(module) + short(name) + b"\x93"


def call(function: bytes, *arguments: bytes) -> bytes:
    """REDUCE."""
    return function + b"(" + b"".join(arguments) + b"tR"


def frame(body: bytes) -> bytes:
    """FRAME around opcodes."""
    return b"\x95" + struct.pack("<Q", len(body)) + body
