"""Local heaps with names of links (III.D), and global heaps with texts of variable length (III.E)."""

from __future__ import annotations

from typing import Final

from provenance.scanning.formats.hdf.image import BrokenHdf5, Fields, Image

__all__ = ["GlobalHeaps", "local_heap", "name_at"]

_MAX_ITEMS: Final = 65_536


def local_heap(image: Image, address: int) -> bytes:
    """Return the data segment of a local heap."""
    head = image.read(address, 8 + 2 * image.long + image.wide)
    head.expect(b"HEAP")
    head.take(4)
    size = head.length()
    head.length()
    return image.take(head.offset(), size)


def name_at(heap: bytes, offset: int) -> bytes:
    """Return the string at ``offset`` of a local heap."""
    end = heap.find(b"\0", offset)
    if not 0 <= offset < len(heap) or end < 0:
        raise BrokenHdf5("a name lies outside of its heap")
    return heap[offset:end]


class GlobalHeaps:
    """Collections of global heap objects; the last one that was read is kept."""

    def __init__(self, image: Image) -> None:
        self._image = image
        self._address = -1
        self._items: dict[int, bytes] = {}

    def item(self, address: int, index: int) -> bytes:
        """Return one object of the collection at ``address``."""
        if address != self._address:
            self._items = _collection(self._image, address)
            self._address = address
        if index not in self._items:
            raise BrokenHdf5(f"the global heap at address {address} has no object {index}")
        return self._items[index]


def _collection(image: Image, address: int) -> dict[int, bytes]:
    head = image.read(address, 8 + image.long)
    head.expect(b"GCOL")
    head.take(4)
    size = head.length()
    body = Fields(image.take(address, size), image)
    body.take(8 + image.long)
    items: dict[int, bytes] = {}
    while body.left >= 8 + image.long and len(items) < _MAX_ITEMS:
        index = body.number(2)
        body.take(6)
        length = body.length()
        if not index:  # the free space is the last
            break
        if index in items:
            raise BrokenHdf5(f"the global heap at address {address} has two objects {index}")
        items[index] = body.take(length)
        body.align()
    return items
