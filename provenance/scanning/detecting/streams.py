"""Compressed streams: gzip, bzip2, xz, lzma, zlib, and joblib's oldest form; unpacked as far as a head."""

from __future__ import annotations

import bz2
import lzma
import re
import zlib
from typing import Protocol

__all__ = ["decompressor", "unpack_head"]

_OLD_JOBLIB = re.compile(rb"ZF0x[0-9a-f]{1,16}L? {1,19}\x78")
_OLD_JOBLIB_BYTES = 21
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


def decompressor(head: bytes) -> Decompressor | None:  # noqa: PLR0911 - one return a kind of stream
    """A decompressor for the stream that begins with ``head``, by its magic, or None."""
    if head[:3] == b"\x1f\x8b\x08":
        return zlib.decompressobj(31)
    if head[:3] == b"BZh" and head[4:10] == b"1AY&SY":
        return bz2.BZ2Decompressor()
    if head[:6] == b"\xfd7zXZ\x00":
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY)
    if _is_lzma(head):
        return lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_MEMORY)
    if _OLD_JOBLIB.match(head):
        return _OldJoblib()
    if _is_zlib(head):
        return zlib.decompressobj()
    return None


def _is_lzma(head: bytes) -> bool:
    """The oldest form of lzma has no magic: its properties, the size of its dictionary and that of the content."""
    if len(head) < 14 or head[0] >= 9 * 5 * 5 or head[13]:
        return False
    dictionary, size = int.from_bytes(head[1:5], "little"), int.from_bytes(head[5:13], "little")
    rest = dictionary - (1 << dictionary.bit_length() >> 1)
    plausible = dictionary >= 1 << 12 and (rest == 0 or rest << 2 == 1 << dictionary.bit_length())
    return plausible and (size < 1 << 40 or size == (1 << 64) - 1)


class _OldJoblib:
    """What joblib wrote before 0.10: ``ZF``, the size of the content in 19 characters, and a zlib stream."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj()
        self._begun = False
        self.eof = False
        self.unused_data = b""
        self.unconsumed_tail = b""

    def decompress(self, data: bytes, max_length: int = 0, /) -> bytes:
        """See ``Decompressor``."""
        if not self._begun:
            self._begun = True
            data = data[_OLD_JOBLIB_BYTES + (data[_OLD_JOBLIB_BYTES : _OLD_JOBLIB_BYTES + 1] == b" ") :]
        out = self._stream.decompress(data, max_length)
        self.eof, self.unused_data = self._stream.eof, self._stream.unused_data
        self.unconsumed_tail = self._stream.unconsumed_tail
        return out


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
