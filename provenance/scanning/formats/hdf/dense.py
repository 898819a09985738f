"""Dense storage: the links or the attributes of an object in a heap, under indexes (IV.A.2.c, IV.A.2.v)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from provenance.scanning.formats.hdf.fractal import FractalHeap
from provenance.scanning.formats.hdf.image import Fields, Image, NotFollowed
from provenance.scanning.formats.hdf.trees import read_records

__all__ = ["dense_items"]


def dense_items(
    image: Image,
    fields: Fields,
    *,
    ordinal: int,
    kinds: tuple[int, int],
    identify: Callable[[int, bytes], bytes],
) -> Iterator[bytes]:
    """Yield each item once, whichever of the indexes names it, for readers go by either.

    ``ordinal`` is the size in bytes of the largest creation index, ``kinds`` are the types of records that an index may
    have, and ``identify`` gives the place in the heap that a record of such a type names, or nothing.

    Raises BrokenHdf5, NotFollowed.
    """
    fields.take(1)
    flags = fields.number(1)
    fields.take(ordinal if flags & 1 else 0)
    heap_address = fields.offset()
    indices = [fields.offset()] + ([fields.offset()] if flags & 2 else [])
    if not image.defined(heap_address):
        return
    heap = FractalHeap(image, heap_address)
    seen: set[bytes] = set()
    for index in filter(image.defined, indices):
        records = read_records(image, index)
        if records.kind not in kinds:
            raise NotFollowed(f"an index of links or attributes has records of type {records.kind}")
        for record in records.items:
            identifier = identify(records.kind, record)
            if identifier and identifier not in seen:
                seen.add(identifier)
                yield heap.item(identifier)
