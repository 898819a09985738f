"""Datatypes and dataspaces (IV.A.2.d, IV.A.2.b), as far as sizes and texts depend on them."""

from __future__ import annotations

from math import prod
from typing import Final, NamedTuple

from provenance.scanning.formats.hdf.image import BrokenHdf5, Fields, NotFollowed

__all__ = ["Datatype", "Member", "element_count", "read_datatype"]

_STRING, _OPAQUE, _COMPOUND, _ENUM, _VARIABLE, _ARRAY, _COMPLEX = 3, 5, 6, 8, 9, 10, 11
_PROPERTIES: Final = {0: 4, 1: 12, 2: 2, 3: 0, 4: 4, 7: 0}
_MAX_MEMBERS: Final = 65_536
_MAX_DEPTH: Final = 32
_MAX_VERSION: Final = 5


class Member(NamedTuple):
    """A member of a compound type and where it begins."""

    offset: int
    type: Datatype


class Datatype(NamedTuple):
    """``kind`` is the class of the specification; ``size`` in bytes; ``base`` of a variable or array type."""

    kind: int
    size: int
    text: bool = False  # of variable length: a string rather than a sequence
    base: Datatype | None = None
    members: tuple[Member, ...] = ()


def read_datatype(fields: Fields, depth: int = 0) -> Datatype:  # noqa: PLR0911 - one return a class
    """Read one datatype. Raises BrokenHdf5, NotFollowed."""
    if depth > _MAX_DEPTH:
        raise NotFollowed("types lie too deep in one another")
    first, bits, size = fields.number(1), fields.number(3), fields.number(4)
    kind, version = first & 15, first >> 4
    if not 1 <= version <= _MAX_VERSION:
        raise NotFollowed(f"a type has version {version}")
    if kind in _PROPERTIES:
        fields.take(_PROPERTIES[kind])
        return Datatype(kind, size)
    if kind == _OPAQUE:
        fields.take(bits & 0xFF)
        return Datatype(kind, size)
    if kind == _COMPOUND:
        return Datatype(kind, size, members=_members(fields, bits & 0xFFFF, size, version, depth))
    if kind == _VARIABLE:
        return Datatype(kind, size, text=bits & 15 == 1, base=read_datatype(fields, depth + 1))
    if kind == _ENUM:
        return _enumeration(fields, bits & 0xFFFF, size, version, depth)
    if kind == _ARRAY:
        return _array(fields, size, version, depth)
    if kind == _COMPLEX:
        return Datatype(kind, size, base=read_datatype(fields, depth + 1))
    raise NotFollowed(f"a type is of the unknown class {kind}")


def _members(fields: Fields, count: int, size: int, version: int, depth: int) -> tuple[Member, ...]:
    found = []
    for _ in range(min(count, _MAX_MEMBERS)):
        _name(fields, version)
        offset = fields.number(max(1, (size.bit_length() + 7) // 8) if version >= 3 else 4)
        if version == 1:
            fields.take(28)  # dimensions, before arrays were a class of their own
        member = read_datatype(fields, depth + 1)
        if offset + member.size > size:
            raise BrokenHdf5("a member of a type lies outside of it")
        found.append(Member(offset, member))
    return tuple(found)


def _name(fields: Fields, version: int) -> None:
    """Names were padded to multiples of eight before version 3."""
    start = fields.pos
    fields.text()
    if version < 3:
        fields.take(-(fields.pos - start) % 8)


def _enumeration(fields: Fields, count: int, size: int, version: int, depth: int) -> Datatype:
    base = read_datatype(fields, depth + 1)
    for _ in range(count):
        _name(fields, version)
    fields.take(count * base.size)
    return Datatype(_ENUM, size, base=base)


def _array(fields: Fields, size: int, version: int, depth: int) -> Datatype:
    rank = fields.number(1)
    fields.take(3 if version < 3 else 0)
    shape = [fields.number(4) for _ in range(rank)]
    fields.take(4 * rank if version < 3 else 0)
    base = read_datatype(fields, depth + 1)
    if prod(shape) * base.size != size:
        raise BrokenHdf5("an array's size is not that of its items")
    return Datatype(_ARRAY, size, base=base)


def element_count(fields: Fields) -> int:
    """Return the number of elements of a dataspace. Raises BrokenHdf5, NotFollowed."""
    version, rank, _flags = fields.number(1), fields.number(1), fields.number(1)
    if version not in (1, 2):
        raise NotFollowed(f"a dataspace has version {version}")
    kind = fields.number(1)
    if version == 1:
        fields.take(4)
        kind = 1
    if rank > 32:
        raise BrokenHdf5(f"a dataspace has {rank} dimensions")
    if kind == 2 and version == 2:
        return 0
    return prod(fields.length() for _ in range(rank))
