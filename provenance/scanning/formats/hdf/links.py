"""Links of a group: in symbol tables (III.C), in link messages (IV.A.2.g), or in a heap (IV.A.2.c)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from provenance.scanning.formats.hdf.dense import dense_items
from provenance.scanning.formats.hdf.headers import Message
from provenance.scanning.formats.hdf.heaps import local_heap, name_at
from provenance.scanning.formats.hdf.image import Fields, Image, NotFollowed
from provenance.scanning.formats.hdf.trees import symbol_nodes

__all__ = ["Link", "read_links"]

_LINK_INFO, _LINK, _SYMBOL_TABLE = 0x02, 0x06, 0x11
_BY_NAME, _BY_ORDER = 5, 6
_HARD, _SOFT, EXTERNAL = 0, 1, 64
_CACHED_SOFT: Final = 2


class Link(NamedTuple):
    """A link: its name, its type (0 hard, 1 soft, 64 external, above that others), and where it leads."""

    name: str
    kind: int
    address: int  # of a hard link's object
    target: str  # of a soft link: a path; of an external one: the file


def read_links(image: Image, messages: Iterable[Message]) -> Iterator[Link]:
    """Yield the links of the group that has these messages; of an object that is no group there are none."""
    for message in messages:
        fields = Fields(message.data, image)
        if message.kind == _SYMBOL_TABLE:
            yield from _symbols(image, fields.offset(), fields.offset())
        elif message.kind == _LINK:
            yield _link(fields)
        elif message.kind == _LINK_INFO:
            kinds = (_BY_NAME, _BY_ORDER)
            for item in dense_items(image, fields, ordinal=8, kinds=kinds, identify=_identifier):
                yield _link(Fields(item, image))


def _symbols(image: Image, tree: int, heap_address: int) -> Iterator[Link]:
    heap = local_heap(image, heap_address)
    for node in symbol_nodes(image, tree):
        while node.left:
            name, address, cached = node.offset(), node.offset(), node.number(4)
            node.take(4)
            scratch = node.take(16)
            shown = _shown(name_at(heap, name))
            if cached == _CACHED_SOFT:
                yield Link(shown, _SOFT, 0, _shown(name_at(heap, int.from_bytes(scratch[:4], "little"))))
            else:
                yield Link(shown, _HARD, address, "")


def _identifier(kind: int, record: bytes) -> bytes:
    return record[4 if kind == _BY_NAME else 8 :]


def _link(fields: Fields) -> Link:
    if fields.number(1) != 1:
        raise NotFollowed("a link has a version that is not known")
    flags = fields.number(1)
    kind = fields.number(1) if flags & 8 else _HARD
    fields.take((8 if flags & 4 else 0) + (1 if flags & 16 else 0))
    name = _shown(fields.take(fields.number(1 << (flags & 3))))
    if kind == _HARD:
        return Link(name, kind, fields.offset(), "")
    value = fields.take(fields.number(2))
    if kind == EXTERNAL:
        value = value[1:].split(b"\0")[0]
    return Link(name, kind, 0, _shown(value))


def _shown(name: bytes) -> str:
    return name.decode("utf-8", "replace")
