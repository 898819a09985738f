"""GGUF: counts, keys, types and offsets, each checked against the size of the file before it is used.

Format: ``docs/gguf.md`` of ggml. Loaders in C have overflowed on products of dimensions and read at forged offsets.
"""

from __future__ import annotations

import struct
from math import prod

from provenance.scanning.context import Context
from provenance.scanning.formats.templates import template_faults
from provenance.scanning.readers import Reader

__all__ = ["read_gguf"]

_FIXED = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_STRING, _ARRAY = 8, 9
_WINDOW = 1 << 20
_MAX_STRING = 64 << 20
_MAX_KEYS, _MAX_TENSORS, _MAX_DEPTH = 100_000, 1_000_000, 4
# Items in a block and bytes of it, by type of tensor (ggml.h).
_BLOCKS = {
    0: (1, 4),
    1: (1, 2),
    2: (32, 18),
    3: (32, 20),
    6: (32, 22),
    7: (32, 24),
    8: (32, 34),
    9: (32, 36),
    10: (256, 84),
    11: (256, 110),
    12: (256, 144),
    13: (256, 176),
    14: (256, 210),
    15: (256, 292),
    16: (256, 66),
    17: (256, 74),
    18: (256, 98),
    19: (256, 50),
    20: (32, 18),
    21: (256, 110),
    22: (256, 82),
    23: (256, 136),
    24: (1, 1),
    25: (1, 2),
    26: (1, 4),
    27: (1, 8),
    28: (1, 8),
    29: (256, 56),
    30: (1, 2),
    34: (256, 54),
    35: (256, 66),
    39: (32, 17),
    40: (64, 36),
    41: (128, 18),
}


class _Broken(Exception):
    """The file breaks a rule of the format."""


class _Unknown(Exception):
    """The file uses something that this version does not know."""


class _Cursor:
    """Reads forwards through a window."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.pos = 0
        self._base, self._data = 0, b""

    def take(self, length: int) -> bytes:
        """The next bytes."""
        if length > self.reader.size - self.pos:
            raise _Broken(f"{length} bytes are announced at byte {self.pos} and the file ends before")
        start = self.pos - self._base
        if start < 0 or start + length > len(self._data):
            self._base, self._data = self.pos, self.reader.read_at(self.pos, max(length, _WINDOW))
            start = 0
        self.pos += length
        return self._data[start : start + length]

    def skip(self, length: int) -> None:
        """Step over bytes."""
        if length > self.reader.size - self.pos:
            raise _Broken(f"{length} bytes are announced at byte {self.pos} and the file ends before")
        self.pos += length

    def number(self, width: int) -> int:
        """The next unsigned number."""
        return int.from_bytes(self.take(width), "little")

    def text(self, limit: int = _MAX_STRING) -> bytes:
        """The next string."""
        length = self.number(8)
        if length > limit:
            raise _Broken(f"a string of {length} bytes at byte {self.pos}")
        return self.take(length)


def read_gguf(context: Context, reader: Reader) -> None:
    """Check header, metadata and tensors; FMT009 where a rule is broken, FMT013 for templates, FMT016 if unknown."""
    try:
        _read(context, _Cursor(reader), reader.size)
    except _Broken as error:
        context.add("FMT009", str(error))
    except _Unknown as error:
        context.add("FMT016", str(error))


def _read(context: Context, cursor: _Cursor, size: int) -> None:
    cursor.skip(4)
    version, tensors, keys = cursor.number(4), cursor.number(8), cursor.number(8)
    if version not in (2, 3):
        raise _Unknown(f"version {version} is not known")
    if keys > min(_MAX_KEYS, size // 13) or tensors > min(_MAX_TENSORS, size // 32):
        raise _Broken(f"{keys} keys and {tensors} tensors do not fit into the file")
    alignment = _read_metadata(context, cursor, keys)
    infos = [_read_info(cursor) for _ in range(tensors)]
    if len({name for name, _, _ in infos}) != len(infos):
        raise _Broken("two tensors have one name")
    start = (cursor.pos + alignment - 1) // alignment * alignment
    end = start
    for name, offset, length in sorted(infos, key=lambda info: info[1]):
        if offset % alignment:
            raise _Broken(f"tensor {name!r} is not aligned")
        if start + offset < end:
            raise _Broken(f"tensor {name!r} overlaps another one")
        end = start + offset + length
        if end > size:
            raise _Broken(f"tensor {name!r} ends at byte {end} and the file has {size}")


def _read_metadata(context: Context, cursor: _Cursor, keys: int) -> int:
    """Read all keys; returns the alignment of tensors."""
    seen: set[bytes] = set()
    alignment = 32
    for _ in range(keys):
        key, kind = cursor.text(65_535), cursor.number(4)
        if key in seen:
            raise _Broken(f"the key {key[:60]!r} occurs twice")
        seen.add(key)
        if kind == _STRING:
            value = cursor.text()
            if b"chat_template" in key:
                for fault, rule in template_faults(value.decode("utf-8", "replace")):
                    context.add(rule, f"the chat template is not plain: {fault}")
        elif key == b"general.alignment" and kind == 4:
            alignment = cursor.number(4)
            if alignment < 1 or alignment & (alignment - 1) or alignment > 1 << 20:
                raise _Broken(f"the alignment {alignment} is no power of two")
        else:
            _skip_value(cursor, kind, 0)
    return alignment


def _skip_value(cursor: _Cursor, kind: int, depth: int) -> None:
    if kind in _FIXED:
        cursor.skip(_FIXED[kind])
    elif kind == _STRING:
        cursor.text()
    elif kind == _ARRAY and depth < _MAX_DEPTH:
        inner, count = cursor.number(4), cursor.number(8)
        if inner in _FIXED:
            cursor.skip(_FIXED[inner] * count)
            return
        if count > cursor.reader.size // 8:
            raise _Broken(f"an array of {count} items does not fit into the file")
        for _ in range(count):
            _skip_value(cursor, inner, depth + 1)
    else:
        raise _Broken(f"a value of the unknown type {kind} at byte {cursor.pos}")


def _read_info(cursor: _Cursor) -> tuple[bytes, int, int]:
    """Name, offset and bytes of one tensor."""
    name, count = cursor.text(4096), cursor.number(4)
    if not 0 <= count <= 8:
        raise _Broken(f"tensor {name!r} has {count} dimensions")
    shape = struct.unpack(f"<{count}Q", cursor.take(8 * count))
    kind, offset = cursor.number(4), cursor.number(8)
    if kind not in _BLOCKS:
        raise _Unknown(f"tensor {name!r} has the unknown type {kind}")
    items, width = _BLOCKS[kind]
    if prod(shape) >= 1 << 63 or (shape and shape[0] % items):
        raise _Broken(f"tensor {name!r} has a shape that overflows or fills no blocks")
    return name, offset, prod(shape) // items * width
