"""The digest algorithms of OMS v1.0 (algorithm registry): SHA-256, BLAKE2b-512 and BLAKE3-256."""

from __future__ import annotations

import hashlib
from typing import Protocol

from blake3 import blake3

__all__ = ["CHUNK_ALGORITHM", "CHUNK_SIZE", "DIGEST_SIZES", "Hasher", "new_hasher"]

# The fast path of a resource: a BLAKE3 digest of each 4 MiB.
CHUNK_SIZE = 4 * 1024 * 1024
CHUNK_ALGORITHM = "blake3"

DIGEST_SIZES = {"sha256": 32, "blake2b": 64, "blake3": 32}


class Hasher(Protocol):
    """What hashlib's objects and BLAKE3's have in common."""

    def update(self, data: bytes | bytearray | memoryview, /) -> object:
        """Feed bytes."""
        ...

    def digest(self) -> bytes:
        """Return the digest of the bytes fed so far."""
        ...


def new_hasher(algorithm: str) -> Hasher:
    """Start a digest; raises ``KeyError`` for an algorithm outside the registry."""
    if algorithm == "sha256":
        return hashlib.sha256()
    if algorithm == "blake3":
        return blake3()
    if algorithm == "blake2b":
        return hashlib.blake2b()
    raise KeyError(algorithm)
