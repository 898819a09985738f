"""Measuring an artifact: every file read once, on all cores, with bounded memory."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple, Protocol

import msgspec

from policies import Finding, finding
from provenance.artifacts.cores import on_all_cores
from provenance.artifacts.listing import FileEntry, Listing
from provenance.artifacts.manifest import DEFAULT_SHARD_SIZE, Resource, Serialization
from provenance.artifacts.opening import open_beneath, opened_root
from provenance.artifacts.reading import SLICE_SIZE, FileChanged, Progress, digest_file, digest_range

__all__ = ["Measure", "Measured", "MeasuredFile", "Observer", "OpenFile", "measure"]

# A thread for a file costs more than reading it when the file is small.
PARALLEL_FROM = 1024 * 1024


class OpenFile(NamedTuple):
    """A file while it is open for measuring: its name, its size, its first 64 KiB at most, and its descriptor."""

    name: str
    size: int
    head: bytes
    descriptor: int

    def read_at(self, offset: int, length: int) -> bytes:
        """Read up to ``length`` bytes at ``offset``."""
        return os.pread(self.descriptor, length, offset)


class MeasuredFile(msgspec.Struct, frozen=True, kw_only=True):
    """The resources of one file, and what the observer said of it."""

    name: str
    size: int
    resources: tuple[Resource, ...]
    observed: Any = None


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """The files of an artifact as measured, sorted by name, and a finding for each that could not be."""

    files: tuple[MeasuredFile, ...]
    findings: tuple[Finding, ...]

    @property
    def resources(self) -> tuple[Resource, ...]:
        """All resources in the order of an OMS statement, by identifier."""
        found = [resource for file in self.files for resource in file.resources]
        return tuple(sorted(found, key=lambda resource: resource.identifier))


Observer = Callable[[OpenFile], Any]


class Measure(Protocol):
    """What ``measure`` does, wherever it is done."""

    def __call__(
        self,
        listing: Listing,
        serialization: Serialization,
        *,
        chunks: bool = False,
        progress: Progress | None = None,
    ) -> Measured:
        """Digest every listed file."""


class _Task(NamedTuple):
    order: int
    entry: FileEntry
    start: int = 0
    end: int | None = None


def measure(
    listing: Listing,
    serialization: Serialization,
    *,
    chunks: bool = False,
    observe: Observer | None = None,
    progress: Progress | None = None,
) -> Measured:
    """Digest every listed file as ``serialization`` says, each read once from one descriptor.

    ``chunks`` adds the BLAKE3 digests of each 4 MiB (``files`` only); ``observe`` is called with each open file;
    ``progress`` is called with byte counts, from any thread.
    """
    with opened_root(listing.root) as root:
        job = _Job(root, serialization, listing.allow_symlinks, chunks, observe, progress)
        outcomes = sorted(
            _run(job, list(_tasks(listing, serialization))),
            key=_place,
        )
    return _assemble(outcomes)


def _tasks(listing: Listing, serialization: Serialization) -> Iterator[_Task]:
    size = serialization.shard_size or DEFAULT_SHARD_SIZE
    for index, entry in enumerate(listing.files):
        if serialization.method == "files" or not entry.size:
            yield _Task(index, entry)
            continue
        for start in range(0, entry.size, size):
            yield _Task(index, entry, start, min(start + size, entry.size))


class _Job(NamedTuple):
    root: int
    serialization: Serialization
    allow_symlinks: bool
    chunks: bool
    observe: Observer | None
    progress: Progress | None


_Outcome = tuple[_Task, Resource | Finding | None, Any]


def _run(job: _Job, tasks: list[_Task]) -> Iterable[_Outcome]:
    large = sorted((task for task in tasks if _length(task) >= PARALLEL_FROM), key=_length, reverse=True)
    small = [task for task in tasks if _length(task) < PARALLEL_FROM]
    local = threading.local()
    measure_one = partial(_measure_one, job, local)
    # Small files hold the interpreter's lock most of the time: one thread for all of them is the fastest.
    batches = [*([task] for task in large), *([small] if small else [])]
    found = on_all_cores(lambda batch: [measure_one(task) for task in batch], batches)
    return [outcome for batch in found for outcome in batch]


def _place(outcome: _Outcome) -> tuple[int, int]:
    return outcome[0].order, outcome[0].start


def _length(task: _Task) -> int:
    return task.entry.size if task.end is None else task.end - task.start


def _measure_one(job: _Job, local: threading.local, task: _Task) -> _Outcome:
    name = task.entry.name
    try:
        descriptor = open_beneath(job.root, name, allow_symlinks=job.allow_symlinks)
    except OSError as error:
        return task, _unreadable(name, error), None
    try:
        return _read(job, _buffer(local), task, descriptor)
    except FileChanged as error:
        return task, finding("ART009", str(error), path=name), None
    except OSError as error:
        return task, _unreadable(name, error), None
    finally:
        os.close(descriptor)


def _buffer(local: threading.local) -> memoryview:
    if not hasattr(local, "buffer"):
        local.buffer = memoryview(bytearray(SLICE_SIZE))
    found: memoryview = local.buffer
    return found


def _read(job: _Job, buffer: memoryview, task: _Task, descriptor: int) -> _Outcome:
    algorithm = job.serialization.hash_type
    name, size = task.entry
    if task.end is not None:
        digest = digest_range(descriptor, task.start, task.end, algorithm, buffer, job.progress)
        seen = (
            _look(job, OpenFile(name, size, os.pread(descriptor, 65536, 0), descriptor))
            if not task.start
            else None
        )
        if task.end == size and os.pread(descriptor, 1, size):
            raise FileChanged("the file grew while it was read")
        return (
            task,
            Resource(name=name, algorithm=algorithm, digest=digest, start=task.start, end=task.end),
            seen,
        )
    found = digest_file(descriptor, size, algorithm, buffer, chunks=job.chunks, progress=job.progress)
    seen = _look(job, OpenFile(name, size, found.head, descriptor))
    if job.serialization.method == "shards":
        return task, None, seen  # OMS v1.0, section 6.3.2: a file of zero bytes has no shard
    return task, Resource(name=name, algorithm=algorithm, digest=found.digest, chunks=found.chunks), seen


def _look(job: _Job, file: OpenFile) -> Any:
    return job.observe(file) if job.observe is not None else None


def _unreadable(name: str, error: OSError) -> Finding:
    return finding("ART008", f"cannot be read: {(error.strerror or str(error)).lower()}", path=name)


def _assemble(outcomes: list[_Outcome]) -> Measured:
    """Put the shards of a file together again; outcomes come sorted by file and range."""
    resources: dict[int, list[Resource]] = {}
    observed: dict[int, Any] = {}
    entries: dict[int, FileEntry] = {}
    findings: list[Finding] = []
    for task, result, seen in outcomes:
        if isinstance(result, Finding):
            findings.append(result)
            continue
        entries[task.order] = task.entry
        resources.setdefault(task.order, []).extend([result] if result is not None else [])
        if seen is not None:
            observed[task.order] = seen
    files = tuple(
        MeasuredFile(
            name=entry.name, size=entry.size, resources=tuple(resources[index]), observed=observed.get(index)
        )
        for index, entry in entries.items()
    )
    return Measured(files=files, findings=tuple(findings))
