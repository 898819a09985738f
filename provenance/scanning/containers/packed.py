"""Compressed streams: gzip, bzip2, xz, lzma and zlib, read as they are unpacked."""

from __future__ import annotations

import lzma
import zlib

from provenance.scanning.context import Context, OverBudget
from provenance.scanning.detecting.streams import decompressor
from provenance.scanning.readers import MemoryReader, Reader

__all__ = ["read_packed"]

_HEAD = 8192  # bytes by which a stream is recognised
_STEP = 1 << 20
_MAX_UNPACKED = 1 << 30
_ERRORS = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError)


def read_packed(context: Context, reader: Reader, name: str) -> None:
    """Unpack within the bounds and read what comes out as a file of its own."""
    data = bytearray()
    offset = 0
    try:
        while offset < reader.size and (
            offset == 0 or decompressor(reader.read_at(offset, _HEAD)) is not None
        ):
            offset = _unpack_stream(context, reader, offset, data)
    except OverBudget:
        context.add("ARC007", "the stream unpacks to more bytes than the reader follows")
        return
    except _ERRORS:
        context.add("ARC008", "the stream is damaged", where=f"byte {offset}")
    if reader.read_at(offset, 4096).strip(b"\0") and offset:
        context.add("ARC004", "bytes lie behind the end of the stream", where=f"byte {offset}")
    context.packed_format = context.member(
        MemoryReader(memoryview(data)), f"{name.rpartition('/')[2]} (unpacked)" if name else "(unpacked)"
    )


def _unpack_stream(context: Context, reader: Reader, offset: int, data: bytearray) -> int:
    """Unpack one stream and return the offset behind it."""
    unpacker = decompressor(reader.read_at(offset, _HEAD))
    if unpacker is None:
        raise EOFError
    pending = b""
    while not unpacker.eof:
        if not pending:
            pending = reader.read_at(offset, _STEP)
            offset += len(pending)
            if not pending and getattr(unpacker, "needs_input", True):
                raise EOFError
        out = unpacker.decompress(pending, _STEP * 4)
        pending = getattr(unpacker, "unconsumed_tail", b"")
        if not out and not pending and offset >= reader.size and not unpacker.eof:
            raise EOFError
        context.spend(len(out))
        if len(data) + len(out) > _MAX_UNPACKED:
            raise OverBudget
        data += out
    return offset - len(unpacker.unused_data)
