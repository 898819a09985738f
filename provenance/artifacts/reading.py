"""Reading a file once, from one descriptor, into all the digests that are asked for."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

from blake3 import blake3

from provenance.artifacts.algorithms import CHUNK_SIZE, Hasher, new_hasher

__all__ = ["SLICE_SIZE", "SMALL_FILE", "Digested", "FileChanged", "Progress", "digest_file", "digest_range"]

# A slice stays in the cache of a core while two digests read it.
SLICE_SIZE = 256 * 1024
# Files up to this size are read by one call.
SMALL_FILE = 64 * 1024

# Called with counts of bytes, from any thread.
Progress = Callable[[int], object]


class FileChanged(OSError):
    """The file had another length at the end than at the start."""


class Digested(NamedTuple):
    """What one read of a file yields: its first bytes, the digest of the whole and the digests of its chunks."""

    head: bytes
    digest: bytes
    chunks: tuple[bytes, ...] | None


def digest_file(
    descriptor: int,
    size: int,
    algorithm: str,
    buffer: memoryview,
    *,
    chunks: bool = False,
    progress: Progress | None = None,
) -> Digested:
    """Read a file of ``size`` bytes to its end and digest it; ``chunks`` also digests each 4 MiB with BLAKE3.

    Raises ``FileChanged`` where the file is shorter or longer than ``size``.
    """
    if size <= SMALL_FILE:
        return _digest_small(descriptor, size, algorithm, chunks=chunks, progress=progress)
    whole = new_hasher(algorithm)
    parts: list[bytes] | None = [] if chunks else None
    head = b""
    for start in range(0, size, CHUNK_SIZE):
        chunk = blake3() if chunks else None
        end = min(start + CHUNK_SIZE, size)
        first = _feed(descriptor, start, end, buffer, tuple(filter(None, (whole, chunk))), progress)
        head = head or first
        if parts is not None and chunk is not None:
            parts.append(chunk.digest())
    if os.pread(descriptor, 1, size):
        raise FileChanged("the file grew while it was read")
    return Digested(head, whole.digest(), None if parts is None else tuple(parts))


def digest_range(
    descriptor: int,
    start: int,
    end: int,
    algorithm: str,
    buffer: memoryview,
    progress: Progress | None = None,
) -> bytes:
    """Digest the bytes ``start`` to ``end`` (exclusive) of a file; raises ``FileChanged`` where some are missing."""
    hasher = new_hasher(algorithm)
    _feed(descriptor, start, end, buffer, (hasher,), progress)
    return hasher.digest()


def _digest_small(
    descriptor: int, size: int, algorithm: str, *, chunks: bool, progress: Progress | None
) -> Digested:
    # One byte more than expected, so that growth shows in the same call.
    data = os.read(descriptor, size + 1)
    if len(data) != size:
        raise FileChanged("the file changed while it was read")
    whole = new_hasher(algorithm)
    whole.update(data)
    if progress is not None:
        progress(size)
    parts = None if not chunks else (blake3(data).digest(),) if data else ()
    return Digested(data, whole.digest(), parts)


def _feed(
    descriptor: int,
    start: int,
    end: int,
    buffer: memoryview,
    hashers: tuple[Hasher, ...],
    progress: Progress | None,
) -> bytes:
    """Feed a range of a file to all hashers, a slice at a time; return a copy of the first 64 KiB at most."""
    head = b""
    position = start
    while position < end:
        count = os.preadv(descriptor, [buffer[: min(len(buffer), end - position)]], position)
        if not count:
            raise FileChanged("the file shrank while it was read")
        part = buffer[:count]
        for hasher in hashers:
            hasher.update(part)
        head = head or bytes(part[:SMALL_FILE])
        position += count
        if progress is not None:
            progress(count)
    return head
