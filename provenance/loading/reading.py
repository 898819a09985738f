"""Reading a file once into memory and proving it on the way: every byte is hashed where it will be used."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import NamedTuple

from policies import Finding, finding
from provenance.artifacts.algorithms import CHUNK_ALGORITHM, CHUNK_SIZE, new_hasher
from provenance.artifacts.comparing import MAX_RANGES
from provenance.artifacts.cores import on_all_cores
from provenance.artifacts.manifest import Resource
from provenance.artifacts.reading import FileChanged
from provenance.loading.buffers import preparer

__all__ = ["fill", "read_chunk", "read_proven", "size_agrees"]

# A slice is hashed while it is still in the cache of the core that read it.
SLICE = 1024 * 1024
Feed = Callable[[memoryview], object]
# Fills a piece of memory from an offset of the file and feeds what came to a hasher, slice by slice.
Read = Callable[[int, memoryview, Feed], None]


class Proof(NamedTuple):
    """The bytes ``start`` to ``end`` of a file, the digest that was signed for them, and the one that they have."""

    start: int
    end: int
    algorithm: str
    expected: bytes
    found: bytes


def size_agrees(size: int, resources: Sequence[Resource]) -> bool:
    """Whether a file of this size can be what was signed: as many chunks, or shards without a gap."""
    chunks = resources[0].chunks
    if chunks is not None:
        return len(chunks) == -(-size // CHUNK_SIZE)
    if resources[0].end is None:
        return len(resources) == 1
    position = 0
    for shard in resources:
        if shard.start != position or shard.end is None:
            return False
        position = shard.end
    return position == size


def fill(descriptor: int, size: int, buffer: memoryview) -> None:
    """Read a file of ``size`` bytes into ``buffer`` on all cores, proving nothing; raises ``OSError``."""
    read = _reading(descriptor, fresh=buffer)

    def copy(index: int) -> Proof:
        start, end = index * CHUNK_SIZE, min((index + 1) * CHUNK_SIZE, size)
        read(start, buffer[start:end], len)
        return Proof(start, end, "", b"", b"")

    on_all_cores(copy, range(-(-size // CHUNK_SIZE)))


def read_proven(
    descriptor: int | None, size: int, buffer: memoryview, resources: Sequence[Resource]
) -> list[Finding]:
    """Read a file of ``size`` bytes into ``buffer`` and compare it with its signed resources; [] where all is proven.

    Without a descriptor the buffer holds the bytes already. The chunk digests are compared where they were signed
    (SIG014), else the digest of the file or of its shards (SIG003). A file that changes its length while it is read
    has a finding too. Nothing in the buffer may be used unless the list is empty.
    """
    name = resources[0].name
    if not size_agrees(size, resources):
        said = f"the file has {size} bytes, which is not what was signed"
        return [finding("SIG003", said, path=name)]
    fresh = buffer if size >= CHUNK_SIZE else None
    read = _in_place if descriptor is None else _reading(descriptor, fresh=fresh)
    try:
        proofs = _prove(read, size, buffer, resources)
        grown = descriptor is not None and bool(os.pread(descriptor, 1, size))
    except FileChanged as error:
        return [finding("ART009", str(error), path=name)]
    except OSError as error:
        return [finding("ART008", f"cannot be read: {(error.strerror or str(error)).lower()}", path=name)]
    if grown:
        return [finding("ART009", "the file grew while it was read", path=name)]
    rule = "SIG014" if resources[0].chunks is not None else "SIG003"
    return [_different(rule, name, proof) for proof in proofs if proof.found != proof.expected][:MAX_RANGES]


def _different(rule: str, name: str, proof: Proof) -> Finding:
    return finding(
        rule,
        "the file differs from the one that was signed",
        path=name,
        where=f"bytes {proof.start}-{proof.end}",
        notes=(f"expected {proof.algorithm} {proof.expected.hex()}, found {proof.found.hex()}",),
    )


def _prove(read: Read, size: int, buffer: memoryview, resources: Sequence[Resource]) -> list[Proof]:
    first = resources[0]
    if first.chunks is not None:
        return _prove_chunks(read, size, buffer, first.chunks)
    if first.end is not None:
        return _prove_shards(read, buffer, resources)
    found = _digest_behind(read, buffer[:size], first.algorithm)
    return [Proof(0, size, first.algorithm, first.digest, found)]


def _prove_chunks(read: Read, size: int, buffer: memoryview, chunks: tuple[bytes, ...]) -> list[Proof]:
    def prove(index: int) -> Proof:
        start, end = index * CHUNK_SIZE, min((index + 1) * CHUNK_SIZE, size)
        found = _digest(read, start, buffer[start:end], CHUNK_ALGORITHM)
        return Proof(start, end, CHUNK_ALGORITHM, chunks[index], found)

    return on_all_cores(prove, range(len(chunks)))


def _prove_shards(read: Read, buffer: memoryview, shards: Sequence[Resource]) -> list[Proof]:
    def prove(index: int) -> Proof:
        shard = shards[index]
        start, end = shard.start, shard.end or 0
        found = _digest(read, start, buffer[start:end], shard.algorithm)
        return Proof(start, end, shard.algorithm, shard.digest, found)

    return on_all_cores(prove, range(len(shards)))


def read_chunk(descriptor: int, start: int, into: memoryview) -> bytes:
    """Fill ``into`` from the file at ``start`` and return the BLAKE3 digest of what came; raises ``OSError``."""
    return _digest(_reading(descriptor, fresh=None), start, into, CHUNK_ALGORITHM)


def _digest(read: Read, start: int, into: memoryview, algorithm: str) -> bytes:
    hasher = new_hasher(algorithm)
    read(start, into, hasher.update)
    return hasher.digest()


def _in_place(_start: int, there: memoryview, feed: Feed) -> None:
    feed(there)


def _reading(descriptor: int, *, fresh: memoryview | None) -> Read:
    """Read from a file, into memory that is to be made ready first where it is ``fresh``."""
    prepare = preparer(fresh) if fresh is not None else None

    def read(start: int, into: memoryview, feed: Feed) -> None:
        for first in range(0, len(into), CHUNK_SIZE):
            piece = into[first : first + CHUNK_SIZE]
            if prepare is not None:
                prepare(piece)
            _fill(descriptor, start + first, piece, feed)

    return read


def _fill(descriptor: int, start: int, into: memoryview, feed: Feed) -> None:
    done = 0
    while done < len(into):
        count = os.preadv(descriptor, [into[done : done + SLICE]], start + done)
        if not count:
            raise FileChanged("the file shrank while it was read")
        feed(into[done : done + count])
        done += count


def _digest_behind(read: Read, buffer: memoryview, algorithm: str) -> bytes:
    """One digest over the whole cannot be shared out: one thread reads ahead, another hashes behind it."""
    hasher = new_hasher(algorithm)
    filled: SimpleQueue[memoryview | BaseException | None] = SimpleQueue()

    def ahead() -> None:
        try:
            read(0, buffer, filled.put)
            filled.put(None)
        except BaseException as error:  # noqa: BLE001 (handed to the thread that waits)
            filled.put(error)

    with ThreadPoolExecutor(1) as pool:
        try:
            pool.submit(ahead)
        except RuntimeError:  # no thread to be had
            ahead()
        while (part := filled.get()) is not None:
            if isinstance(part, BaseException):
                raise part
            hasher.update(part)
    return hasher.digest()
