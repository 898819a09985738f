"""Files that ask for more time or memory than they are worth; loading them is an attack of its own."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator

from benchmarks.corpus.containers import zipped
from benchmarks.corpus.opcodes import glob

__all__ = ["exhausting"]


def exhausting() -> Iterator[tuple[str, bytes]]:
    """(Name, bytes) of each file."""
    for place in (b"r\xff\xff\xff\xff", b"p99999999999\n", b"r\xff\xff\xff\x7f"):
        yield "memo.pkl", b"\x80\x04N" + place + b"."
    for code, size in ((b"\x8e", 2**40), (b"\x8d", 2**62), (b"\x96", 2**50)):
        yield "length.pkl", b"\x80\x05" + code + struct.pack("<Q", size) + b"x."
    yield "long.pkl", b"\x80\x04\x8b\xff\xff\xff\x7f."
    yield "marks.pkl", b"\x80\x02" + b"(" * 2_000_000
    yield "tuples.pkl", b"\x80\x02" + b"(" * 1_500_000 + b"t" * 1_500_000 + b"."
    yield "range.pkl", _call("builtins", "list", _call("builtins", "range", b"K\0J\xff\xff\xff\x7f"))
    yield "bytes.pkl", _call("builtins", "bytearray", b"\x8a\x05\0\0\0\0\x40")
    yield "fraction.pkl", _call("fractions", "Fraction", b"S'1e999999999'\n")
    yield "repeat.pkl", _call("itertools", "repeat", b"K\0")
    yield "string.pkl", _call("operator", "mul", b"S'x'\nJ\xff\xff\xff\x7f")
    yield "power.pkl", _call("operator", "pow", b"K\x0aJ\xff\xff\xff\x7f")
    yield "bomb.pt", zipped(("a/data.pkl", bytes(1 << 24)), method=zipfile.ZIP_DEFLATED)
    yield "bomb.pkl.z", zlib.compress(b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + bytes(1 << 24))


def _call(module: str, name: str, arguments: bytes) -> bytes:
    inner = arguments.removesuffix(b".").removeprefix(b"\x80\x02")
    return b"\x80\x02" + glob(module, name) + b"(" + inner + b"tR."
