"""Attributes of objects (IV.A.2.m), and the texts in their values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from provenance.scanning.formats.hdf.datatypes import Datatype, element_count, read_datatype
from provenance.scanning.formats.hdf.dense import dense_items
from provenance.scanning.formats.hdf.headers import Message, shared_body
from provenance.scanning.formats.hdf.heaps import GlobalHeaps
from provenance.scanning.formats.hdf.image import BrokenHdf5, Fields, Image, NotFollowed

__all__ = ["Attribute", "read_attributes", "texts"]

_DATASPACE, _DATATYPE, _ATTRIBUTE, _ATTRIBUTE_INFO = 0x01, 0x03, 0x0C, 0x15
_INDICES = (8, 9)  # by name, by order of creation
_STRING, _OPAQUE, _COMPOUND, _VARIABLE, _ARRAY = 3, 5, 6, 9, 10
_SHARED: Final = 0x02
_MAX_TEXTS: Final = 1_000_000


class Attribute(NamedTuple):
    """An attribute: its name, its type, the number of elements, and their bytes."""

    name: str
    type: Datatype
    items: int
    data: bytes


def read_attributes(image: Image, messages: Iterable[Message]) -> Iterator[Attribute]:
    """Yield the attributes of the object that has these messages. Raises BrokenHdf5, NotFollowed."""
    for message in messages:
        if message.kind == _ATTRIBUTE:
            data = shared_body(image, message.data, _ATTRIBUTE) if message.flags & _SHARED else message.data
            yield _attribute(image, data)
        elif message.kind == _ATTRIBUTE_INFO:
            stored = Fields(message.data, image)
            for item in dense_items(image, stored, ordinal=2, kinds=_INDICES, identify=_identifier):
                yield _attribute(image, item)


def _identifier(_kind: int, record: bytes) -> bytes:
    if record[8:9] and record[8] & _SHARED:
        raise NotFollowed("an attribute lies in the table of shared messages")
    return record[:8] if len(record) >= 8 else b""


def _attribute(image: Image, data: bytes) -> Attribute:
    fields = Fields(data, image)
    version, flags = fields.number(1), fields.number(1)
    if not 1 <= version <= 3:
        raise NotFollowed(f"an attribute has version {version}")
    sizes = fields.number(2), fields.number(2), fields.number(2)
    fields.take(1 if version == 3 else 0)
    parts = []
    for size in sizes:
        parts.append(fields.take(size))
        if version == 1:
            fields.align()
    name, kind, space = parts
    if version > 1 and flags & 1:
        kind = shared_body(image, kind, _DATATYPE)
    if version > 1 and flags & 2:
        space = shared_body(image, space, _DATASPACE)
    datatype, count = read_datatype(Fields(kind, image)), element_count(Fields(space, image))
    length = datatype.size * count
    if length > fields.left:
        raise BrokenHdf5("an attribute has fewer bytes than its type and shape say")
    return Attribute(name.split(b"\0")[0].decode("utf-8", "replace"), datatype, count, fields.take(length))


def texts(image: Image, heaps: GlobalHeaps, attribute: Attribute) -> Iterator[bytes]:
    """Yield whatever in an attribute's value a program may read as text or as bytes of its own."""
    size, seen = attribute.type.size, 0
    if not _holds_texts(attribute.type):
        return
    for index in range(attribute.items):
        element = attribute.data[index * size : (index + 1) * size]
        for found in _texts(image, heaps, attribute.type, element):
            seen += 1
            if seen > _MAX_TEXTS:
                raise NotFollowed("an attribute has more texts than are followed")
            yield found


def _holds_texts(kind: Datatype) -> bool:
    inner = kind.base is not None and _holds_texts(kind.base)
    return (
        kind.kind in (_STRING, _OPAQUE, _VARIABLE) or inner or any(_holds_texts(m.type) for m in kind.members)
    )


def _texts(image: Image, heaps: GlobalHeaps, kind: Datatype, element: bytes) -> Iterator[bytes]:
    if kind.kind in (_STRING, _OPAQUE):
        yield element
    elif kind.kind == _VARIABLE:
        fields = Fields(element, image)
        length, address, index = fields.number(4), fields.offset(), fields.number(4)
        if not length or not address:
            return
        value = heaps.item(address, index)
        base = kind.base
        if base is None or kind.text or base.size == 1 or not _holds_texts(base):
            yield value
            return
        for start in range(0, len(value) - base.size + 1, max(1, base.size)):
            yield from _texts(image, heaps, base, value[start : start + base.size])
    elif kind.kind == _COMPOUND:
        for member in kind.members:
            part = element[member.offset : member.offset + member.type.size]
            yield from _texts(image, heaps, member.type, part)
    elif kind.kind == _ARRAY and kind.base is not None and kind.base.size:
        for start in range(0, len(element), kind.base.size):
            yield from _texts(image, heaps, kind.base, element[start : start + kind.base.size])
