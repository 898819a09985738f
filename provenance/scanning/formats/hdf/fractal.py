"""Fractal heaps: links of large groups and attributes of large objects (III.G)."""

from __future__ import annotations

from typing import Final, NamedTuple

from provenance.scanning.formats.hdf.image import BrokenHdf5, Fields, Image, NotFollowed
from provenance.scanning.formats.hdf.trees import read_records

__all__ = ["FractalHeap"]

_MANAGED, _HUGE, _TINY = 0, 1, 2
_HUGE_BY_NUMBER: Final = 1  # the type of a tree's records: address, length, number


class _Table(NamedTuple):
    """How blocks double in size from row to row."""

    width: int
    first: int  # bytes of a block of the first row
    largest: int  # bytes of the largest direct block
    bits: int  # of an offset in the heap


class FractalHeap:
    """Objects of one heap, by their ids."""

    def __init__(self, image: Image, address: int) -> None:
        self._image = image
        head = image.read(address, 26 + 12 * image.long + 3 * image.wide)
        head.expect(b"FRHP")
        if head.number(1):
            raise NotFollowed("a heap has a version that is not known")
        head.take(2)
        filtered, self._flags, self._max_managed = head.number(2), head.number(1), head.number(4)
        if filtered:
            raise NotFollowed("a heap is packed")
        head.length()
        self._huge_tree = head.offset()
        head.take(image.long + image.wide + 8 * image.long)
        self._table = _Table(head.number(2), head.length(), head.length(), head.number(2))
        head.take(2)
        self._root, self._rows = head.offset(), head.number(2)
        self._huge: dict[int, tuple[int, int]] | None = None
        self._check_table()

    def _check_table(self) -> None:
        table = self._table
        powers = all(size and not size & (size - 1) for size in (table.width, table.first, table.largest))
        if not powers or table.first > table.largest or not 0 < table.bits <= 64:
            raise BrokenHdf5("a heap's table contradicts itself")

    def item(self, identifier: bytes) -> bytes:
        """Return the object with this id."""
        kind = identifier[0] >> 4 & 3
        if identifier[0] >> 6:
            raise NotFollowed("an id in a heap has a version that is not known")
        if kind == _TINY:
            return identifier[1 : 2 + (identifier[0] & 15)]
        fields = Fields(identifier[1:], self._image)
        if kind == _HUGE:
            return self._huge_item(fields)
        if kind != _MANAGED:
            raise NotFollowed("an id in a heap is of a kind that is not known")
        offset = fields.number((self._table.bits + 7) // 8)
        length = fields.number(self._length_size())
        return self._managed_item(offset, length)

    def _length_size(self) -> int:
        """Bytes of a length: as few as the largest direct block, or the largest object, needs."""
        block = (self._table.largest.bit_length() - 1 + 7) // 8
        return min(block, max(1, (self._max_managed.bit_length() + 7) // 8))

    def _huge_item(self, fields: Fields) -> bytes:
        image = self._image
        if fields.left >= image.wide + image.long:
            return image.take(fields.offset(), fields.length())
        if self._huge is None:
            records = read_records(image, self._huge_tree)
            if records.kind != _HUGE_BY_NUMBER:
                raise NotFollowed("large objects of a heap are packed")
            self._huge = {}
            for record in records.items:
                entry = Fields(record, image)
                place = entry.offset(), entry.length()
                self._huge[entry.length()] = place
        number = fields.number(min(fields.left, image.long))
        if number not in self._huge:
            raise BrokenHdf5("a large object is not in its heap")
        return image.take(*self._huge[number])

    def _managed_item(self, offset: int, length: int) -> bytes:
        """Find the direct block that ``offset`` of the heap lies in, from the root down."""
        address, rows, start = self._root, self._rows, 0
        size = self._table.first
        for _ in range(64):
            if not self._image.defined(address):
                break
            if not rows:
                if offset + length > start + size:
                    break
                self._image.read(address, 4).expect(b"FHDB")
                return self._image.take(address + offset - start, length)
            address, rows, start, size = self._child(address, rows, start, offset)
        raise BrokenHdf5("an object lies outside of its heap")

    def _child(self, address: int, rows: int, start: int, offset: int) -> tuple[int, int, int, int]:
        """The entry of an indirect block that ``offset`` lies in: address, rows, first offset, bytes."""
        image, table = self._image, self._table
        image.read(address, 4).expect(b"FHIB")
        entries = address + 5 + image.wide + (table.bits + 7) // 8
        most_direct = (table.largest // table.first).bit_length() + 1  # rows of direct blocks
        row_start = start
        for row in range(min(rows, 64)):
            size = table.first << max(0, row - 1)
            if offset < row_start + table.width * size:
                column = (offset - row_start) // size
                place = row * table.width + column
                child = image.read(entries + place * image.wide, image.wide).offset()
                below = 0 if row < most_direct else self._rows_of(size)
                return child, below, row_start + column * size, size
            row_start += table.width * size
        raise BrokenHdf5("an object lies outside of its heap")

    def _rows_of(self, size: int) -> int:
        """Rows of an indirect block that spans ``size`` bytes of the heap."""
        return max(1, size.bit_length() - (self._table.first * self._table.width).bit_length() + 1)
