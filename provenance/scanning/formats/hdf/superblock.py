"""The superblock: how wide addresses are, and where the root group lies (II.A)."""

from __future__ import annotations

from typing import Final, NamedTuple

from provenance.scanning.formats.hdf.image import BrokenHdf5, Fields, Image, NotFollowed
from provenance.scanning.readers import Reader

__all__ = ["SIGNATURE", "Superblock", "find_superblock", "read_superblock"]

SIGNATURE: Final = b"\x89HDF\r\n\x1a\n"
_WIDTHS: Final = (2, 4, 8)


class Superblock(NamedTuple):
    """``root`` and ``extension`` are addresses of object headers; ``driver`` of a block that names other files."""

    image: Image
    root: int
    extension: int | None
    driver: int | None


def find_superblock(reader: Reader) -> int:
    """Return where the superblock lies: at 0, 512, 1024, 2048, … as the library looks for it; -1 for nowhere."""
    place = 0
    while place + 8 <= reader.size:
        if reader.read_at(place, 8) == SIGNATURE:
            return place
        place = place * 2 or 512
    return -1


def read_superblock(reader: Reader, place: int) -> Superblock:
    """Read versions 0 to 3. Raises BrokenHdf5, NotFollowed."""
    head = Fields(reader.read_at(place + 8, 160), Image(reader, place, 8, 8))
    version = head.number(1)
    if version > 3:
        raise NotFollowed(f"the superblock has version {version}")
    if version < 2:
        head.take(4)
    wide, long = head.number(1), head.number(1)
    if wide not in _WIDTHS or long not in _WIDTHS:
        raise NotFollowed(f"addresses have {wide} bytes and lengths {long}")
    image = Image(reader, place, wide, long)
    head.image = image
    return _old(head, image, version) if version < 2 else _new(head, image)


def _old(head: Fields, image: Image, version: int) -> Superblock:
    head.take(9 + (4 if version else 0))  # reserved, sizes of nodes, flags
    _check_bounds(image, head.offset(), free=head.offset(), end=head.offset())
    driver = head.offset()
    head.offset()
    return Superblock(image, head.offset(), None, driver if image.defined(driver) else None)


def _new(head: Fields, image: Image) -> Superblock:
    head.take(1)
    base, extension = head.offset(), head.offset()
    _check_bounds(image, base, free=0, end=head.offset())
    return Superblock(image, head.offset(), extension if image.defined(extension) else None, None)


def _check_bounds(image: Image, base: int, *, free: int, end: int) -> None:
    """The library itself counts addresses from where it found the superblock, whatever that says."""
    del free
    if base not in (0, image.base):
        raise BrokenHdf5(f"addresses count from byte {base} and the superblock is at {image.base}")
    if image.defined(end) and end > image.reader.size:
        raise BrokenHdf5(f"the file ends at byte {image.reader.size} and says {end}; it is cut off")
