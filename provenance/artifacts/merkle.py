"""Merkle trees over records: SHA-256 with RFC 6962's prefixes, shape and empty tree.

Source: RFC 6962, section 2.1 (hashes and audit paths), and RFC 9162, section 2.1.3.2 (verifying an audit path). A leaf
is SHA-256(0x00 + record), a node SHA-256(0x01 + left + right), so no node can pass for a leaf. Pairing neighbours
level by level and lifting an odd last one unchanged yields the same tree as splitting at the largest power of two.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

import msgspec

__all__ = [
    "DIGEST_SIZE",
    "EMPTY_ROOT",
    "LEAF_PREFIX",
    "NODE_PREFIX",
    "Folded",
    "MerkleTree",
    "fold",
    "leaf_hash",
    "root_from_path",
    "tree_of",
    "verify_inclusion",
]

DIGEST_SIZE: Final = 32
LEAF_PREFIX: Final = b"\x00"
NODE_PREFIX: Final = b"\x01"
EMPTY_ROOT: Final = sha256().digest()

# Leaves that are folded to one node before more are read; a power of two, so that the shape stays RFC 6962's.
_BLOCK: Final = 65_536 * DIGEST_SIZE
# An audit path through 2**64 leaves.
_MAX_PATH: Final = 64


class Folded(msgspec.Struct, frozen=True):
    """The root over some leaves, and how many they were."""

    root: bytes
    count: int


def leaf_hash(record: bytes) -> bytes:
    """Return the leaf of a record."""
    return sha256(LEAF_PREFIX + record).digest()


def fold(blocks: Iterable[bytes]) -> Folded:
    """Compute the root over leaves that come in blocks of joined 32-byte hashes, in 2 MiB (and 0.5 KiB a million)."""
    pending, nodes, count = bytearray(), bytearray(), 0
    for block in blocks:
        pending += block
        count += len(block) // DIGEST_SIZE
        while len(pending) >= _BLOCK:
            nodes += _reduce(bytes(pending[:_BLOCK]))
            del pending[:_BLOCK]
    if not count:
        return Folded(EMPTY_ROOT, 0)
    if pending:
        nodes += _reduce(bytes(pending))
    return Folded(_reduce(bytes(nodes)), count)


def _reduce(level: bytes) -> bytes:
    while len(level) > DIGEST_SIZE:
        level = _above(level)
    return level


def _above(level: bytes) -> bytes:
    """Return the level above: a node for each pair, and an odd last one as it is."""
    prefix = NODE_PREFIX
    paired = len(level) - len(level) % (2 * DIGEST_SIZE)
    nodes = [sha256(prefix + level[at : at + 64]).digest() for at in range(0, paired, 64)]
    return b"".join(nodes) + level[paired:]


class MerkleTree(msgspec.Struct, frozen=True):
    """A whole tree in memory, 64 bytes a leaf: ``levels`` are joined hashes, from the leaves to the root."""

    levels: tuple[bytes, ...]

    @property
    def count(self) -> int:
        """The number of leaves."""
        return len(self.levels[0]) // DIGEST_SIZE

    @property
    def root(self) -> bytes:
        """The root, which for no leaves is SHA-256 of nothing."""
        return self.levels[-1] if self.count else EMPTY_ROOT

    def leaf(self, index: int) -> bytes:
        """Return a leaf by its index from 0; raises ``IndexError``."""
        if not 0 <= index < self.count:
            raise IndexError(f"there is no record {index}; there are {self.count}")
        return _node(self.levels[0], index)

    def path(self, index: int) -> tuple[bytes, ...]:
        """Return the audit path of a leaf, from the bottom up; raises ``IndexError``."""
        self.leaf(index)
        found = []
        for level in self.levels[:-1]:
            sibling = index ^ 1
            if sibling * DIGEST_SIZE < len(level):  # an odd last node has none
                found.append(_node(level, sibling))
            index >>= 1
        return tuple(found)


def _node(level: bytes, index: int) -> bytes:
    return level[index * DIGEST_SIZE : (index + 1) * DIGEST_SIZE]


def tree_of(leaves: bytes) -> MerkleTree:
    """Build the tree over joined 32-byte leaves; raises ``ValueError`` where they are cut off."""
    if len(leaves) % DIGEST_SIZE:
        raise ValueError("the leaves are not a whole number of 32-byte hashes")
    levels = [leaves]
    while len(levels[-1]) > DIGEST_SIZE:
        levels.append(_above(levels[-1]))
    return MerkleTree(tuple(levels))


def root_from_path(leaf: bytes, index: int, count: int, path: Sequence[bytes]) -> bytes | None:
    """Return the root that a leaf and its audit path lead to, or None where the path has not the length it must."""
    if not 0 <= index < count or len(leaf) != DIGEST_SIZE or len(path) > _MAX_PATH:
        return None
    node, last = leaf, count - 1
    for sibling in path:
        if not last or len(sibling) != DIGEST_SIZE:
            return None
        if index & 1 or index == last:
            node = sha256(NODE_PREFIX + sibling + node).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = sha256(NODE_PREFIX + node + sibling).digest()
        index, last = index >> 1, last >> 1
    return node if not last else None


def verify_inclusion(leaf: bytes, index: int, count: int, path: Sequence[bytes], root: bytes) -> bool:
    """Tell whether the leaf stands at ``index`` of the ``count`` leaves under ``root``."""
    return root_from_path(leaf, index, count, path) == root
