"""The verb ``sealed``: a path to verified copies that cannot be changed, for loaders that insist on a path."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Unpack

from provenance.artifacts.listing import FileEntry
from provenance.loading.memfd import HAS_SEALS, make_sealed, sealed_memory
from provenance.loading.proving import Keep, ProvenFile, Room, prove
from provenance.loading.reading import fill
from provenance.loading.signed import hand_out
from provenance.verification import Gathered, VerifyOptions, gather

__all__ = ["sealed"]

AnyPath = str | PathLike[str]


@contextlib.contextmanager
def sealed(
    path: AnyPath,
    **options: Unpack[VerifyOptions],
) -> Iterator[Path]:
    """Verify an artifact and yield the path of a copy of it, a file or a directory, for as long as the block runs.

    On Linux each file is a sealed memfd behind a link in a private directory: no process can change it, not even
    this one. Elsewhere it is a private read-only copy. Files that no signature covers are not in the copy.
    ``options`` are those of ``VerifyOptions``. Raises
    ``Refused`` or ``Undecided`` with the verification, and ``UsageError`` where the open files do not suffice.
    """
    gathered = gather(path, **options)
    with contextlib.ExitStack() as stack:
        descriptors: dict[str, int] = {}
        stack.callback(_close, descriptors)
        verification, files = prove(gathered, _keeper(gathered, descriptors))
        hand_out(gathered, verification)
        private = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="provenance-")))
        root = private / (gathered.path.resolve().name or "artifact")
        for file in files:
            _place(file, root if gathered.listing.single else root / file.entry.name, descriptors)
        yield root


def _keeper(gathered: Gathered, descriptors: dict[str, int]) -> Keep:
    def keep(entry: FileEntry, _found: str, source: int) -> Room:
        if not HAS_SEALS:
            return Room(bytearray(entry.size))
        name = Path(entry.name).name
        descriptor = make_sealed(name, entry.size, lambda view: fill(source, entry.size, view))
        descriptors[entry.name] = descriptor
        # Proven only now: what was sealed is what is used.
        return Room(sealed_memory(descriptor, entry.size), filled=True)

    _raise_file_limit(len(gathered.listing.files))
    return keep


def _raise_file_limit(count: int) -> None:
    """Each sealed file holds a descriptor; ask for as many as the system lets this process have."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + 256
    if soft != resource.RLIM_INFINITY and soft < wanted:
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, limit), hard))


def _place(file: ProvenFile, target: Path, descriptors: dict[str, int]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor = descriptors.get(file.entry.name)
    if descriptor is None:
        target.write_bytes(file.buffer)
        target.chmod(0o400)
        return
    # By number of process, so that children of this process find it too.
    target.symlink_to(f"/proc/{os.getpid()}/fd/{descriptor}")


def _close(descriptors: dict[str, int]) -> None:
    for descriptor in descriptors.values():
        os.close(descriptor)
