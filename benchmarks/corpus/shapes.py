"""Shapes of the stream around a payload: padding, garbage, frames, other pickles before and behind it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from benchmarks.corpus.opcodes import counted, framed, push

__all__ = ["LARGE_SHAPES", "SHAPES", "Shape"]

# (protocol, opcodes that push one value, random numbers) -> a pickle or several.
Shape = Callable[[int, bytes, random.Random], bytes]

_HONEST = push({"epoch": 3, "loss": 0.25, "names": ["a", "b"], "shape": (3, 4)})


def _head(protocol: int) -> bytes:
    return b"\x80" + bytes([protocol]) if protocol else b""


def _padded(before: bytes) -> Shape:
    return lambda protocol, body, _: _head(protocol) + before + body + b"."


def _among(protocol: int, body: bytes, rng: random.Random) -> bytes:
    """One entry of a dict of honest ones."""
    entries = [push(f"layer.{index}") + push([rng.random()]) for index in range(20)]
    entries.insert(rng.randrange(20), push("x") + body)
    return _head(protocol) + b"}(" + b"".join(entries) + b"u."


def _frames(protocol: int, body: bytes, _rng: random.Random) -> bytes:
    return _head(max(protocol, 4)) + framed(_HONEST + b"0") + framed(body + b".")


def _straddling(protocol: int, body: bytes, _rng: random.Random) -> bytes:
    """A string begins in a frame and goes on behind it: a linear reader takes what follows for text."""
    hidden = body + b"."
    begin = b"\x8c" + bytes([min(255, len(hidden) + 2)]) + b"xx"
    return _head(max(protocol, 4)) + framed(begin) + b"x" * min(255, len(hidden) + 2) + b"0" + hidden


def _nested(protocol: int, body: bytes, _rng: random.Random) -> bytes:
    return _head(protocol) + b"(" * 400 + body + b"t" * 400 + b"."


SHAPES: Mapping[str, Shape] = {
    "plain": _padded(b""),
    "among honest values": _among,
    "behind an honest value": _padded(_HONEST + b"0"),
    "with a memo": _padded(b"".join(push(index) + b"\x940" for index in range(300))),
    "then garbage": lambda protocol, body, rng: _head(protocol) + body + b"\xff\xfe" + rng.randbytes(200),
    "without stop": lambda protocol, body, _: _head(protocol) + body,
    "then another pickle": lambda protocol, body, _: (
        _head(protocol) + body + b"." + b"\x80\x02" + _HONEST + b"."
    ),
    "behind another pickle": lambda protocol, body, _: (
        b"\x80\x02" + _HONEST + b"." + _head(protocol) + body + b"."
    ),
    "in frames": _frames,
    "across a frame": _straddling,
    "behind floats": _padded(b"F1.5\n0" * 2000),
    "behind a bytearray": _padded(b"\x96" + counted(bytes(100_000), "<Q") + b"0"),
    "behind bytes": _padded(b"B" + counted(bytes(300_000), "<I") + b"0"),
    "deep": _nested,
    "behind numbers as C reads them": _padded(b"I010\n0F1\0x\n0L5\0L\n0"),
}
LARGE_SHAPES: Mapping[str, Shape] = {
    "behind 12 MB of text": _padded(b"X" + counted(b"a" * 12_000_000, "<I") + b"0"),
    "behind 200,000 times nothing": _padded(b"N0" * 200_000),
}
