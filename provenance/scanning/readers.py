"""Reading at an offset: what every reader of a format is given instead of a path."""

from __future__ import annotations

import os
from typing import Protocol

from provenance.errors import Unreadable

__all__ = ["BytesReader", "FileReader", "MemoryReader", "Reader", "SliceReader"]


class Reader(Protocol):
    """Bytes of known size that can be read at any offset."""

    @property
    def size(self) -> int:
        """Size in bytes."""

    def read_at(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset`` on; fewer only at the end."""


class BytesReader:
    """A reader over bytes in memory."""

    __slots__ = ("data", "size")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def read_at(self, offset: int, length: int) -> bytes:
        """See ``Reader``."""
        return self.data[offset : offset + length]


class FileReader:
    """A reader over an open file descriptor, which stays the caller's; raises Unreadable (ART008)."""

    __slots__ = ("fd", "size")

    def __init__(self, fd: int, size: int) -> None:
        self.fd = fd
        self.size = size

    def read_at(self, offset: int, length: int) -> bytes:
        """See ``Reader``."""
        wanted = max(0, min(length, self.size - offset))
        try:
            data = os.pread(self.fd, wanted, offset)
            while len(data) < wanted:  # pread may give less than was asked for, and nothing at the end
                more = os.pread(self.fd, wanted - len(data), offset + len(data))
                if not more:
                    raise Unreadable(f"the file ends at byte {offset + len(data)}", code="ART008")
                data += more
        except OSError as error:
            raise Unreadable(f"reading failed: {error.strerror}", code="ART008") from error
        return data


class MemoryReader:
    """A reader over memory that something else holds too, such as the tensors of a load; gives out copies."""

    __slots__ = ("size", "view")

    def __init__(self, view: memoryview) -> None:
        self.view = view
        self.size = len(view)

    def read_at(self, offset: int, length: int) -> bytes:
        """See ``Reader``."""
        return bytes(self.view[max(offset, 0) : max(offset, 0) + max(length, 0)])


class SliceReader:
    """A reader over a range of another one: a member that an archive stores without compression."""

    __slots__ = ("outer", "size", "start")

    def __init__(self, outer: Reader, start: int, size: int) -> None:
        self.outer = outer
        self.start = start
        self.size = max(0, min(size, outer.size - start))

    def read_at(self, offset: int, length: int) -> bytes:
        """See ``Reader``."""
        return self.outer.read_at(self.start + offset, max(0, min(length, self.size - offset)))
