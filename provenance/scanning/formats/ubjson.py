"""Universal Binary JSON, as far as XGBoost writes it; nothing is allocated beyond the bytes that are there.

Format: UBJSON Specification Draft 12. Numbers are big-endian.
"""

from __future__ import annotations

import struct
from typing import Any, Final

__all__ = ["BrokenUbjson", "decode_ubjson"]

_MAX_DEPTH: Final = 64
_MAX_VALUES: Final = 8_000_000
_NUMBERS: Final = {b"i": ">b", b"U": ">B", b"I": ">h", b"l": ">i", b"L": ">q", b"d": ">f", b"D": ">d"}
_LENGTHS: Final = frozenset((b"i", b"U", b"I", b"l", b"L"))
_WORDS: Final = {b"Z": None, b"T": True, b"F": False}


class BrokenUbjson(Exception):
    """The bytes are no UBJSON, or more of it than is read."""


def decode_ubjson(data: bytes) -> Any:
    """Return the value that fills ``data``; typed arrays as numpy arrays. Raises BrokenUbjson."""
    cursor = _Cursor(data)
    value = cursor.value(cursor.take(1), 0)
    if cursor.pos != len(data):
        raise BrokenUbjson(f"{len(data) - cursor.pos} bytes follow the value")
    return value


class _Cursor:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.pos = 0
        self.values = 0

    def take(self, length: int) -> bytes:
        """The next bytes."""
        if not 0 <= length <= len(self.data) - self.pos:
            raise BrokenUbjson(f"{length} bytes are announced at byte {self.pos} and the file ends before")
        self.pos += length
        return self.data[self.pos - length : self.pos]

    def number(self, kind: bytes) -> Any:
        """The next number of a type."""
        layout = _NUMBERS[kind]
        return struct.unpack(layout, self.take(struct.calcsize(layout)))[0]

    def length(self, kind: bytes) -> int:
        """The next length, not negative."""
        if kind not in _LENGTHS:
            raise BrokenUbjson(f"a length at byte {self.pos} is of the type {kind!r}")
        found = int(self.number(kind))
        if found < 0:
            raise BrokenUbjson(f"a length at byte {self.pos} is negative")
        return found

    def text(self, kind: bytes) -> str:
        """The next string, behind the type of its length."""
        try:
            return self.take(self.length(kind)).decode()
        except UnicodeDecodeError:
            raise BrokenUbjson(f"a text before byte {self.pos} is not UTF-8") from None

    def value(self, kind: bytes, depth: int) -> Any:
        """The value of a type that was read already."""
        self.values += 1
        if depth > _MAX_DEPTH or self.values > _MAX_VALUES:
            raise BrokenUbjson("it has more values, or deeper in one another, than are read")
        if kind in _NUMBERS:
            return self.number(kind)
        if kind in _WORDS:
            return _WORDS[kind]
        if kind in (b"S", b"H"):
            return self.text(self.take(1))
        if kind == b"C":
            return self.take(1).decode("latin-1")
        if kind == b"{":
            return self.object(depth)
        if kind == b"[":
            return self.array(depth)
        raise BrokenUbjson(f"a value at byte {self.pos} is of the unknown type {kind!r}")

    def object(self, depth: int) -> dict[str, Any]:
        """Members up to the closing brace; each name once."""
        found: dict[str, Any] = {}
        while (kind := self.take(1)) != b"}":
            name = self.text(kind)
            if name in found:
                raise BrokenUbjson(f"the member {name[:60]!r} occurs twice")
            found[name] = self.value(self.take(1), depth + 1)
        return found

    def array(self, depth: int) -> Any:
        """An array of one type of number, of a known length, or up to the closing bracket."""
        kind = self.take(1)
        if kind == b"$":
            return self.typed()
        if kind == b"#":
            count = self.length(self.take(1))
            if count > len(self.data) - self.pos:
                raise BrokenUbjson(f"{count} items are announced at byte {self.pos} and the file ends before")
            return [self.value(self.take(1), depth + 1) for _ in range(count)]
        found = []
        while kind != b"]":
            found.append(self.value(kind, depth + 1))
            kind = self.take(1)
        return found

    def typed(self) -> Any:
        """Numbers without their types in between."""
        import numpy as np

        kind = self.take(1)
        if kind not in _NUMBERS or self.take(1) != b"#":
            raise BrokenUbjson(f"an array at byte {self.pos} is of no type of numbers")
        dtype = np.dtype(
            _NUMBERS[kind].replace("b", "i1").replace("B", "u1").replace("h", "i2").replace("q", "i8")
        )
        count = self.length(self.take(1))
        return np.frombuffer(self.take(count * dtype.itemsize), dtype)
