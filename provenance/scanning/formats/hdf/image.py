"""The bytes of an HDF5 file by its own addresses, with a bound on how much of them is read.

Format: HDF5 File Format Specification 3.0 (sections are named where they are used).
"""

from __future__ import annotations

from typing import Final

from provenance.scanning.readers import Reader

__all__ = ["BrokenHdf5", "Fields", "Image", "NotFollowed"]

_MAX_READS: Final = 4_000_000
_MAX_BYTES: Final = 1 << 30
_MAX_BLOCK: Final = 64 << 20


class BrokenHdf5(Exception):
    """The bytes break a rule of the format."""


class NotFollowed(Exception):
    """The file uses a structure that this reader does not know, or more of them than it follows."""


class Image:
    """Reads at addresses, which count from the superblock; ``wide`` and ``long`` are bytes of offsets and lengths."""

    def __init__(self, reader: Reader, base: int, wide: int, long: int) -> None:
        self.reader = reader
        self.base = base
        self.wide = wide
        self.long = long
        self.size = reader.size - base
        self._reads, self._bytes = 0, 0

    def read(self, address: int, length: int) -> Fields:
        """Return ``length`` bytes from ``address`` on. Raises BrokenHdf5 where the file ends before, NotFollowed."""
        return Fields(self.take(address, length), self)

    def take(self, address: int, length: int, *, at_most: bool = False) -> bytes:
        """Return bytes as ``read`` does; ``at_most``: fewer of them where the file ends before."""
        if at_most:
            length = min(length, self.size - address)
        if address < 0 or length < 0 or address + length > self.size:
            raise BrokenHdf5(f"{length} bytes at address {address} lie outside of the file")
        self._reads += 1
        self._bytes += length
        if length > _MAX_BLOCK or self._bytes > _MAX_BYTES or self._reads > _MAX_READS:
            raise NotFollowed("its structures take more bytes than are followed")
        return self.reader.read_at(self.base + address, length)

    def defined(self, address: int) -> bool:
        """Whether an address is one: all bits set stand for none."""
        return address != (1 << 8 * self.wide) - 1


class Fields:
    """Little-endian fields, one after another. Each raises BrokenHdf5 where the bytes end before."""

    __slots__ = ("data", "image", "pos")

    def __init__(self, data: bytes, image: Image) -> None:
        self.data = data
        self.image = image
        self.pos = 0

    @property
    def left(self) -> int:
        """Bytes that were not taken yet."""
        return len(self.data) - self.pos

    def take(self, length: int) -> bytes:
        """The next bytes."""
        if not 0 <= length <= self.left:
            raise BrokenHdf5("a structure is longer than the bytes that are there for it")
        self.pos += length
        return self.data[self.pos - length : self.pos]

    def number(self, width: int) -> int:
        """The next unsigned number of ``width`` bytes."""
        return int.from_bytes(self.take(width), "little")

    def offset(self) -> int:
        """The next address."""
        return self.number(self.image.wide)

    def length(self) -> int:
        """The next length."""
        return self.number(self.image.long)

    def text(self) -> bytes:
        """The next string that ends with a zero."""
        end = self.data.find(b"\0", self.pos)
        if end < 0:
            raise BrokenHdf5("a name does not end")
        found = self.data[self.pos : end]
        self.pos = end + 1
        return found

    def align(self) -> None:
        """Step to the next multiple of eight, or to the end."""
        self.pos = min(len(self.data), (self.pos + 7) & ~7)

    def expect(self, signature: bytes) -> None:
        """Take a signature."""
        if self.take(len(signature)) != signature:
            raise BrokenHdf5(f"{signature.decode()} is not where the file says")
