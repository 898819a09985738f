"""Where the data of a dataset lies: layout, external files, filters (IV.A.2.h, i, l)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from provenance.scanning.formats.hdf.datatypes import Datatype, element_count, read_datatype
from provenance.scanning.formats.hdf.headers import Message, shared_body
from provenance.scanning.formats.hdf.heaps import GlobalHeaps, local_heap, name_at
from provenance.scanning.formats.hdf.image import BrokenHdf5, Fields, Image, NotFollowed

__all__ = ["CHUNKED", "COMPACT", "CONTIGUOUS", "VIRTUAL", "Dataset", "read_dataset"]

_SPACE, _TYPE, _EXTERNAL, _LAYOUT, _FILTERS = 0x01, 0x03, 0x07, 0x08, 0x0B
_SHARED: Final = 0x02
COMPACT, CONTIGUOUS, CHUNKED, VIRTUAL = 0, 1, 2, 3
_MAX_EXTERNAL: Final = 65_536


class Dataset(NamedTuple):
    """A dataset: type, number of elements, class of layout, and what its data depends on.

    ``address`` and ``stored`` say where contiguous data lies and how long it is; ``address`` is None where nothing was
    written. ``outside`` names other files; ``filters`` are numbers as registered with The HDF Group.
    """

    type: Datatype
    items: int
    layout: int
    address: int | None
    stored: int
    outside: tuple[str, ...]
    filters: tuple[int, ...]

    @property
    def size(self) -> int:
        """Bytes of the data when it is read."""
        return self.items * self.type.size


def read_dataset(image: Image, heaps: GlobalHeaps, messages: Sequence[Message]) -> Dataset | None:
    """Return the dataset that has these messages, or None where they are a group's or a type's."""
    bodies: dict[int, bytes] = {}
    for message in messages:
        if message.kind in (_SPACE, _TYPE, _EXTERNAL, _LAYOUT, _FILTERS):
            if message.kind in bodies:
                raise BrokenHdf5(f"an object has two messages of type {message.kind:#x}")
            shared = message.flags & _SHARED
            bodies[message.kind] = shared_body(image, message.data, message.kind) if shared else message.data
    outside = _external_files(Fields(bodies[_EXTERNAL], image)) if _EXTERNAL in bodies else ()
    if _LAYOUT not in bodies:
        if outside or _SPACE in bodies:
            raise BrokenHdf5("a dataset does not say where its data lies")
        return None
    if _TYPE not in bodies or _SPACE not in bodies:
        raise BrokenHdf5("a dataset has no type or no shape")
    layout, address, stored = _layout(Fields(bodies[_LAYOUT], image), image)
    if layout == VIRTUAL and address is not None:
        outside += _virtual_files(image, heaps, address, stored)
    return Dataset(
        read_datatype(Fields(bodies[_TYPE], image)),
        element_count(Fields(bodies[_SPACE], image)),
        layout,
        address,
        stored,
        outside,
        _filters(Fields(bodies[_FILTERS], image)) if _FILTERS in bodies else (),
    )


def _layout(fields: Fields, image: Image) -> tuple[int, int | None, int]:
    """Class, address and length; the index within the global heap stands for the length of virtual data."""
    version = fields.number(1)
    if version in (1, 2):
        return _old_layout(fields, image)
    if version not in (3, 4, 5):
        raise NotFollowed(f"a layout has version {version}")
    kind = fields.number(1)
    if kind == COMPACT:
        length = fields.number(2)
        fields.take(length)
        return kind, 0, length
    if kind == CONTIGUOUS:
        address, length = fields.offset(), fields.length()
        return kind, address if image.defined(address) else None, length
    if kind == VIRTUAL:
        return kind, fields.offset(), fields.number(4)
    if kind != CHUNKED:
        raise NotFollowed(f"a layout is of the unknown class {kind}")
    return kind, 0, 0


def _old_layout(fields: Fields, image: Image) -> tuple[int, int | None, int]:
    rank, kind = fields.number(1), fields.number(1)
    fields.take(5)
    if kind == COMPACT:
        fields.take(4 * rank)
        length = fields.number(4)
        fields.take(length)
        return kind, 0, length
    address = fields.offset()
    if kind == CONTIGUOUS:
        return kind, address if image.defined(address) else None, -1
    if kind != CHUNKED:
        raise NotFollowed(f"a layout is of the unknown class {kind}")
    return kind, 0, 0


def _external_files(fields: Fields) -> tuple[str, ...]:
    fields.take(6)
    used = fields.number(2)
    heap = local_heap(fields.image, fields.offset())
    found = []
    for _ in range(min(used, _MAX_EXTERNAL)):
        found.append(name_at(heap, fields.length()).decode("utf-8", "replace"))
        fields.take(2 * fields.image.long)
    return tuple(found) or ("",)


def _virtual_files(image: Image, heaps: GlobalHeaps, address: int, index: int) -> tuple[str, ...]:
    """The first file that a virtual dataset is put together from; the others are as far away as it (VII.D)."""
    if not image.defined(address):
        return ("",)
    fields = Fields(heaps.item(address, index), image)
    fields.take(1)
    count = fields.length()
    return (fields.text().decode("utf-8", "replace"),) if count else ("",)


def _filters(fields: Fields) -> tuple[int, ...]:
    version, count = fields.number(1), fields.number(1)
    if version not in (1, 2):
        raise NotFollowed(f"a list of filters has version {version}")
    fields.take(6 if version == 1 else 0)
    found = []
    for _ in range(count):
        number = fields.number(2)
        named = version == 1 or number >= 256
        name_length = fields.number(2) if named else 0
        fields.take(2)
        values = fields.number(2)
        if version == 1:
            name_length = (name_length + 7) & ~7
        fields.take(name_length + 4 * values + (4 if version == 1 and values % 2 else 0))
        found.append(number)
    return tuple(found)
