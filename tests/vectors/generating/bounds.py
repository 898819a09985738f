"""R11: files that would exhaust whoever reads them, and harmless ones that are merely large."""

from __future__ import annotations

import struct

from generating.model import Vector, good, undecided

__all__ = ["BOUNDS"]


def doubling(levels: int, pair: bytes) -> bytes:
    """Each value holds the one before it twice."""
    return b"N\x94" + b"".join(b"h" + bytes([n]) + b"h" + bytes([n]) + pair + b"\x94" for n in range(levels))


LIMITS = (
    undecided("a place in the memo beyond the memory", "PKL010", b"\x80\2Nr\xff\xff\xff\x7f."),
    undecided("a place in the memo beyond the memory, as text", "PKL010", b"Np999999999999\n."),
    undecided("bytes that are not there", "PKL003", b"\x80\4\x8e" + struct.pack("<Q", 1 << 40) + b"abc."),
    undecided("a string that is not there", "PKL003", b"\x80\4\x8d" + struct.pack("<Q", 1 << 63) + b"abc."),
    undecided("an integer that is not there", "PKL003", b"\x80\2\x8b\xff\xff\xff\x7f."),
    undecided("an integer of negative length", "PKL003", b"\x80\2\x8b\xff\xff\xff\xff."),
    undecided("two million marks", "PKL010", b"\x80\2", (b"(", 2_000_000), b"."),
    undecided("a frame that is not there", "PKL003", b"\x80\4\x95" + struct.pack("<Q", 1 << 62) + b"N0"),
    undecided("a stack that is taken from where there is none", "PKL003", b"\x80\x02000."),
    undecided("a memo that is read where nothing was written", "PKL003", b"\x80\2h\5."),
    undecided("values that double", "PKL010", b"\x80\4", doubling(100, b"\x86"), b"."),
    good("a list of 200,000 integers", b"\x80\2](", (b"K\1", 200_000), b"e."),
    good("a nesting of 10,000 lists", b"\x80\2", (b"]", 10_000), (b"a", 9_999), b"."),
    good("an integer of 1,000 bytes", b"\x80\2\x8b\xe8\3\0\0", (b"\1", 1000), b"."),
)

BOUNDS: dict[str, tuple[str, tuple[Vector, ...]]] = {"R11": ("work, memory and nesting", LIMITS)}
