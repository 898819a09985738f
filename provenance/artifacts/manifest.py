"""Manifests: which files (or ranges of files) an artifact has, with their digests, and the two digests of the whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Literal

import msgspec

__all__ = ["Manifest", "Resource", "Serialization", "dir_hash", "root_digest"]

DEFAULT_SHARD_SIZE = 1_000_000_000


class Resource(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A file, or the bytes ``start`` to ``end`` (exclusive) of one, with its raw digest.

    ``chunks`` are the raw BLAKE3 digests of each 4 MiB of a whole file; None where they were not recorded.
    """

    name: str
    algorithm: str
    digest: bytes
    start: int = 0
    end: int | None = None
    chunks: tuple[bytes, ...] | None = None

    @property
    def identifier(self) -> str:
        """The name in an OMS statement: ``path``, or ``path:start:end`` for a shard."""
        return self.name if self.end is None else f"{self.name}:{self.start}:{self.end}"


class Serialization(msgspec.Struct, frozen=True, kw_only=True):
    """How an artifact was turned into resources (OMS v1.0, section 5.2.2)."""

    method: Literal["files", "shards"] = "files"
    hash_type: str = "sha256"
    shard_size: int | None = None
    allow_symlinks: bool = False
    ignore_paths: tuple[str, ...] = ()


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The resources of an artifact, sorted by identifier, and how they were made."""

    resources: tuple[Resource, ...]
    serialization: Serialization

    @property
    def file_names(self) -> frozenset[str]:
        """The names of all files that have a resource."""
        return frozenset(resource.name for resource in self.resources)


def root_digest(resources: Iterable[Resource]) -> bytes:
    """SHA-256 over the raw digests of the resources in their order (OMS v1.0, section 6.5.1)."""
    whole = hashlib.sha256()
    for resource in resources:
        whole.update(resource.digest)
    return whole.digest()


def dir_hash(resources: Iterable[Resource]) -> str | None:
    r"""Return in-toto's ``dirHash`` in hex: SHA-256 over ``sha256  name\n`` lines sorted by name (Go's Hash1).

    None where a resource is not the SHA-256 of a whole file, and where a newline in a name makes lines ambiguous.
    """
    whole = hashlib.sha256()
    for resource in sorted(resources, key=lambda item: item.name):
        if resource.algorithm != "sha256" or resource.end is not None or "\n" in resource.name:
            return None
        whole.update(f"{resource.digest.hex()}  {resource.name}\n".encode())
    return whole.hexdigest()
