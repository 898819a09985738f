"""The index of TensorFlow's variables: a table that says in which file, and where in it, each variable lies.

Format: the table of LevelDB (``table_format.md``) with the messages of ``tensor_bundle.proto`` in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from provenance.scanning.context import Context
from provenance.scanning.formats.protobuf import BrokenMessage, fields
from provenance.scanning.readers import BytesReader, Reader

__all__ = ["read_index"]

_FOOTER: Final = 48
_MAX_BLOCK: Final = 64 << 20
_MAX_ENTRIES: Final = 2_000_000
_MAX_SHARDS: Final = 10_000
_SHARDS, _SHARD, _OFFSET, _SIZE = 1, 3, 4, 5


class _Broken(Exception):
    """The table breaks a rule of its format; (rule id, message)."""


def read_index(context: Context, reader: Reader) -> None:
    """Read all entries, and say which files the variables lie in; FMT009 where the table is broken."""
    try:
        shards, ends = _read(reader)
    except _Broken as error:
        context.add(*error.args)
        return
    except BrokenMessage as error:
        context.add("FMT009", str(error))
        return
    prefix = context.name.rpartition("/")[2].removesuffix(".index")
    for shard in range(shards):
        context.refers[f"{prefix}.data-{shard:05d}-of-{shards:05d}"] = ends.get(shard, 0)
    if ends and max(ends) >= shards:
        context.add("FMT009", f"a variable lies in file {max(ends)} of {shards}")


def _read(reader: Reader) -> tuple[int, dict[int, int]]:
    """Number of files, and the end of the last variable in each."""
    footer = reader.read_at(reader.size - _FOOTER, _FOOTER) if reader.size >= _FOOTER else b""
    if len(footer) < _FOOTER:
        raise _Broken("FMT009", "the table has no end")
    _, _, pos = _handle(footer, 0)
    start, size, _ = _handle(footer, pos)
    shards = count = 0
    ends: dict[int, int] = {}
    for _, handle in _entries(_block(reader, start, size)):
        inner, length, _ = _handle(handle, 0)
        for key, value in _entries(_block(reader, inner, length)):
            count += 1
            if count > _MAX_ENTRIES:
                raise _Broken("FMT016", "the table has more entries than are read")
            numbers = {field.number: field.value for field in fields(BytesReader(value), 0, len(value))}
            if not key:
                shards = numbers.get(_SHARDS, 0)
                continue
            shard = numbers.get(_SHARD, 0)
            ends[shard] = max(ends.get(shard, 0), numbers.get(_OFFSET, 0) + numbers.get(_SIZE, 0))
    if not 0 < shards <= _MAX_SHARDS:
        raise _Broken("FMT009", f"the variables lie in {shards} files")
    return shards, ends


def _block(reader: Reader, start: int, size: int) -> bytes:
    """A block that is not packed; behind it come its kind and a checksum."""
    if size > _MAX_BLOCK or start + size + 5 > reader.size:
        raise _Broken("FMT009", "a block lies outside of the table")
    data = reader.read_at(start, size + 1)
    if data[-1:] != b"\0":
        raise _Broken("FMT016", "a block of the table is packed")
    return data[:-1]


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys, each given by what it shares with the one before, and values."""
    if len(block) < 4:
        raise _Broken("FMT009", "a block of the table has no end")
    end = len(block) - 4 - 4 * int.from_bytes(block[-4:], "little")
    pos, key = 0, b""
    while pos < end:
        shared, pos = _varint(block, pos)
        own, pos = _varint(block, pos)
        length, pos = _varint(block, pos)
        if shared > len(key) or pos + own + length > end:
            raise _Broken("FMT009", "an entry lies outside of its block")
        key = key[:shared] + block[pos : pos + own]
        pos += own + length
        yield key, block[pos - length : pos]


def _handle(data: bytes, pos: int) -> tuple[int, int, int]:
    """Start and size of a block, and what comes behind them."""
    start, pos = _varint(data, pos)
    size, pos = _varint(data, pos)
    return start, size, pos


def _varint(data: bytes, pos: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if pos >= len(data):
            break
        value |= (data[pos] & 0x7F) << shift
        pos += 1
        if data[pos - 1] < 0x80:
            return value, pos
    raise _Broken("FMT009", "a number does not end")
