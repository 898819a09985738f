"""Bytes that are read forwards only: from a file, from memory, or as they are unpacked."""

from __future__ import annotations

from typing import Protocol

from provenance.scanning.readers import Reader

__all__ = ["ReaderSource", "Source"]


class Source(Protocol):
    """A stream of bytes, and the offset of the next one."""

    position: int

    def read(self, length: int) -> bytes:
        """Return up to ``length`` bytes, and none only at the end."""

    def skip(self, length: int) -> int:
        """Step over up to ``length`` bytes and return how many there were."""


class ReaderSource:
    """A source over a reader, from an offset on; what is skipped is never read."""

    __slots__ = ("position", "reader")

    def __init__(self, reader: Reader, position: int = 0) -> None:
        self.reader = reader
        self.position = position

    def read(self, length: int) -> bytes:
        """See ``Source``."""
        data = self.reader.read_at(self.position, length)
        self.position += len(data)
        return data

    def skip(self, length: int) -> int:
        """See ``Source``."""
        skipped = max(0, min(length, self.reader.size - self.position))
        self.position += skipped
        return skipped
