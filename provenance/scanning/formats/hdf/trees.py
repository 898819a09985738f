"""B-trees: version 1 over the symbol tables of groups (III.A.1, III.B), version 2 over records in heaps (III.A.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from provenance.scanning.formats.hdf.image import BrokenHdf5, Fields, Image, NotFollowed

__all__ = ["Records", "read_records", "symbol_nodes"]

_MAX_NODES: Final = 200_000
_MAX_DEPTH: Final = 16


def symbol_nodes(image: Image, address: int) -> Iterator[Fields]:
    """Yield each symbol table node under the B-tree of a group, behind its count, which comes first."""
    pending, seen = [address], {address}
    while pending:
        node = pending.pop()
        for child in _children(image, node, seen):
            if image.take(child, 4) == b"SNOD":
                head = image.read(child, 8)
                head.take(6)
                count = head.number(2)
                yield image.read(child + 8, count * (2 * image.wide + 24))
            else:
                pending.append(child)


def _children(image: Image, address: int, seen: set[int]) -> list[int]:
    head = image.read(address, 8 + 2 * image.wide)
    head.expect(b"TREE")
    if head.number(1) != 0:
        raise BrokenHdf5("a group's tree is one of chunks")
    head.take(1)
    used = head.number(2)
    body = image.read(address + 8 + 2 * image.wide, used * (image.long + image.wide))
    found = []
    for _ in range(used):
        body.length()
        found.append(body.offset())
    if seen.intersection(found) or len(set(found)) < len(found):
        raise BrokenHdf5("a tree leads back to a node of its own")
    seen.update(found)
    if len(seen) > _MAX_NODES:
        raise NotFollowed("a tree has more nodes than are followed")
    return found


class Records(NamedTuple):
    """The type of a tree's records (III.A.2) and each record's bytes."""

    kind: int
    items: list[bytes]


class _Shape(NamedTuple):
    """What the header says of every node."""

    kind: int
    node_size: int
    record_size: int
    count_size: int  # bytes of the number of records in a child
    total_sizes: list[int]  # bytes of the number of records below a child, by its depth


def read_records(image: Image, address: int) -> Records:
    """Return all records of a version 2 tree."""
    head = image.read(address, 22 + image.wide + image.long)
    head.expect(b"BTHD")
    head.take(1)
    kind, node_size, record_size, depth = head.number(1), head.number(4), head.number(2), head.number(2)
    head.take(2)
    root, count = head.offset(), head.number(2)
    if depth > _MAX_DEPTH or not record_size or node_size < record_size + 10:
        raise BrokenHdf5("a tree's header contradicts itself")
    shape = _shape(image, kind, node_size, record_size, depth)
    items: list[bytes] = []
    seen: set[int] = set()
    if image.defined(root):
        _walk(image, shape, (root, count, depth), items, seen)
    return Records(kind, items)


def _shape(image: Image, kind: int, node_size: int, record_size: int, depth: int) -> _Shape:
    """Numbers of records take as few bytes as the largest possible one needs."""
    most = total = (node_size - 10) // record_size
    count_size = _bytes_of(most)
    total_sizes = [0]
    for level in range(1, depth + 1):
        pointer = image.wide + count_size + total_sizes[level - 1]
        most = max(0, node_size - 10 - pointer) // (record_size + pointer)
        total = (most + 1) * total + most
        total_sizes.append(_bytes_of(total))
    return _Shape(kind, node_size, record_size, count_size, total_sizes)


def _bytes_of(number: int) -> int:
    return max(1, (number.bit_length() + 7) // 8)


def _walk(
    image: Image, shape: _Shape, root: tuple[int, int, int], items: list[bytes], seen: set[int]
) -> None:
    """Collect the records of a node and of all nodes below it; ``root`` is address, records, depth."""
    pending = [root]
    while pending:
        address, count, depth = pending.pop()
        if address in seen:
            raise BrokenHdf5("a tree leads back to a node of its own")
        seen.add(address)
        if len(seen) > _MAX_NODES:
            raise NotFollowed("a tree has more nodes than are followed")
        node = image.read(address, shape.node_size)
        node.expect(b"BTIN" if depth else b"BTLF")
        node.take(1)
        if node.number(1) != shape.kind:
            raise BrokenHdf5("a tree's node is of another type than the tree")
        items.extend(node.take(shape.record_size) for _ in range(count))
        for _ in range(count + 1 if depth else 0):
            child, below = node.offset(), node.number(shape.count_size)
            node.take(shape.total_sizes[depth - 1])
            pending.append((child, below, depth - 1))
