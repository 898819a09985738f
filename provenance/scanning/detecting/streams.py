"""Compressed streams: gzip, bzip2, xz, lzma, zlib; unpacked as far as a head."""

from __future__ import annotations

import bz2
import lzma
import zlib
from typing import Protocol

__all__ = ["decompressor", "unpack_head"]

_MEMORY = 64 * 1024 * 1024  # dictionary that an xz or lzma stream may ask for


class Decompressor(Protocol):
    """What the decompressors of the standard library have in common."""

    @property
    def eof(self) -> bool:
        """Whether the end of the stream was reached."""

    @property
    def unused_data(self) -> bytes:
        """Bytes behind the end of the stream."""

    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes:
        """Unpack up to ``max_length`` bytes."""


def decompressor(head: bytes) -> Decompressor | None:
    """A decompressor for the stream that begins with ``head``, by its magic, or None."""
    if head[:3] == b"\x1f\x8b\x08":
        return zlib.decompressobj(31)
    if head[:3] == b"BZh" and head[4:10] == b"1AY&SY":
        return bz2.BZ2Decompressor()
    if head[:6] == b"\xfd7zXZ\x00":
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY)
    if head[:1] == b"\x5d" and head[1:3] == b"\0\0" and len(head) > 13:
        return lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_MEMORY)
    if _is_zlib(head):
        return zlib.decompressobj()
    return None


def _is_zlib(head: bytes) -> bool:
    """Two bytes are little of a magic, and text may begin with them: the stream must also unpack (RFC 1950)."""
    if len(head) < 3 or head[0] & 0x8F != 0x08 or int.from_bytes(head[:2], "big") % 31 or head[1] & 0x20:
        return False
    try:
        return bool(zlib.decompressobj().decompress(head[:4096], 1)) or head[2:3] == b"\x03"
    except zlib.error:
        return False


def unpack_head(head: bytes, limit: int) -> bytes | None:
    """The first bytes of what a compressed stream holds, at most ``limit``, or None where it is none."""
    unpacker = decompressor(head) if len(head) > 2 else None
    if unpacker is None:
        return None
    try:
        return unpacker.decompress(head, limit)
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError):
        return None
