"""Object headers: the messages that make up a group, a dataset or a named type (IV.A)."""

from __future__ import annotations

from typing import Final, NamedTuple

from provenance.scanning.formats.hdf.image import BrokenHdf5, Fields, Image, NotFollowed

__all__ = ["Message", "read_messages", "shared_body"]

_CONTINUATION: Final = 0x10
_MAX_MESSAGES: Final = 65_536
_MAX_BLOCKS: Final = 4096
_SHARED: Final = 0x02
_MAX_KIND: Final = 0x18


class Message(NamedTuple):
    """One message: its type (IV.A.2), its flags, and its bytes."""

    kind: int
    flags: int
    data: bytes


def read_messages(image: Image, address: int) -> list[Message]:
    """Return all messages of the object at ``address``, those of continuation blocks too."""
    first = image.take(address, 16, at_most=True)
    found: list[Message] = []
    if first[:4] == b"OHDR":
        version, blocks = 2, [_first_block(image, address)]
    elif first[:1] == b"\x01" and len(first) == 16:
        version, blocks = 1, [(address + 16, int.from_bytes(first[8:12], "little"), 0)]
    else:
        raise BrokenHdf5(f"no object lies at address {address}")
    seen: set[int] = set()
    for start, length, flags in blocks:  # grows as continuations are found
        if start in seen or len(blocks) > _MAX_BLOCKS:
            raise BrokenHdf5("an object's header continues in itself")
        seen.add(start)
        for message in _block(image.read(start, length), version, flags):
            found.append(message)
            if len(found) > _MAX_MESSAGES:
                raise NotFollowed("an object has more messages than are followed")
            if message.kind == _CONTINUATION:
                blocks.append(_continuation(image, message, version, flags))
    return found


def _first_block(image: Image, address: int) -> tuple[int, int, int]:
    """Where the messages of a version 2 header begin, their length, and the header's flags."""
    head = Fields(image.take(address, 48, at_most=True), image)
    head.take(4)
    version, flags = head.number(1), head.number(1)
    if version != 2:
        raise NotFollowed(f"an object's header has version {version}")
    head.take((16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0))
    length = head.number(1 << (flags & 3))
    return address + head.pos, length, flags


def _continuation(image: Image, message: Message, version: int, flags: int) -> tuple[int, int, int]:
    fields = Fields(message.data, image)
    start, length = fields.offset(), fields.length()
    if version == 1:
        return start, length, flags
    image.read(start, 4).expect(b"OCHK")
    return start + 4, length - 8, flags


def _block(block: Fields, version: int, flags: int) -> list[Message]:
    """The messages of one block; what is too short for one at its end is a gap."""
    found = []
    head = 8 if version == 1 else 6 if flags & 0x04 else 4
    while block.left >= head:
        kind = block.number(2 if version == 1 else 1)
        size, own = block.number(2), block.number(1)
        block.take(3 if version == 1 else head - 4)
        if size > block.left:
            raise BrokenHdf5("a message is longer than its block")
        if kind > _MAX_KIND:
            raise NotFollowed(f"a message has the unknown type {kind:#x}")
        found.append(Message(kind, own, block.take(size)))
    return found


def shared_body(image: Image, data: bytes, kind: int) -> bytes:
    """Follow a shared message (IV.A.1.b) to the object that holds it, and return that message's bytes."""
    fields = Fields(data, image)
    version, where = fields.number(1), fields.number(1)
    if version == 1:
        fields.take(6)
    elif version == 3 and where == 1:
        raise NotFollowed("a message lies in the table of shared messages")
    for message in read_messages(image, fields.offset()):
        if message.kind == kind and not message.flags & _SHARED:
            return message.data
    raise BrokenHdf5("a shared message is not where the file says")
