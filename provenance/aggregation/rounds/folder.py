"""The files of a round: each opened once, read once to its end, and kept open for the passes that follow."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from provenance.aggregation.rounds.claims import Rejected
from provenance.aggregation.rounds.examining import Examined, examine_update
from provenance.aggregation.rounds.sealing import Tag
from provenance.aggregation.rounds.stream import OpenUpdate
from provenance.artifacts.cores import worker_count
from provenance.artifacts.listing import list_artifact
from provenance.artifacts.names import ATTESTATION_DIRECTORY, ATTESTATION_SUFFIXES
from provenance.artifacts.opening import open_artifact_file, open_beneath, opened_root
from provenance.errors import Malformed, UsageError
from provenance.scanning.detect import HEAD_BYTES, detect

__all__ = ["MAX_UPDATES", "Elsewhere", "Folder", "Seen", "examine_file", "open_base", "opened_updates"]

MAX_UPDATES: Final = 10_000
_RESERVED: Final = 256  # descriptors for everything else
_BESIDE: Final = frozenset({"json", "text"})  # notes and settings may lie beside updates

Seen = Examined | Rejected | None
"""What a file turned out to be."""
Elsewhere = Callable[[Path, Sequence[str]], Iterable[Seen]]
"""Examines the files of a folder somewhere else, by their names and in their order, with tags that are public."""


class Folder(msgspec.Struct, frozen=True):
    """The updates of a folder by their names, and the files that are none."""

    updates: tuple[OpenUpdate, ...]
    rejected: tuple[Rejected, ...]


@contextmanager
def opened_updates(directory: Path, elsewhere: Elsewhere | None = None) -> Iterator[Folder]:
    """Open and examine every file of a folder, here or elsewhere; all are closed when the block ends.

    Raises ``UsageError`` where the folder is none or has too many files.
    """
    if not directory.is_dir():
        raise UsageError(f"{directory} is no folder of updates")
    listing = list_artifact(directory)
    names = [entry.name for entry in listing.files if not _is_attestation(entry.name)]
    if len(names) > MAX_UPDATES:
        raise UsageError(f"{directory} has {len(names)} files; at most {MAX_UPDATES} make a round")
    _allow_descriptors(len(names))
    refused = [
        Rejected(contributor="", path=found.path, rule="AGG011", message=f"it {found.message}")
        for found in listing.findings
        if found.severity == "error" and found.rule != "ART007"
    ]
    opened: list[OpenUpdate | Rejected | None] = []
    try:
        opened = _all_opened(directory, names, elsewhere)
        yield Folder(
            tuple(each for each in opened if isinstance(each, OpenUpdate)),
            (*refused, *(each for each in opened if isinstance(each, Rejected))),
        )
    finally:
        for each in opened:
            if isinstance(each, OpenUpdate):
                os.close(each.descriptor)


def _is_attestation(name: str) -> bool:
    return ATTESTATION_DIRECTORY in name.split("/") or name.endswith(ATTESTATION_SUFFIXES)


def _allow_descriptors(count: int) -> None:
    """Each update stays open; ask for as many descriptors as the system lets this process have."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count + _RESERVED:
        limit = count + _RESERVED if hard == resource.RLIM_INFINITY else min(count + _RESERVED, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, limit), hard))


def _all_opened(
    directory: Path, names: Sequence[str], elsewhere: Elsewhere | None
) -> list[OpenUpdate | Rejected | None]:
    look: Callable[[int, str], Seen] = examine_file
    if elsewhere is not None:
        seen = dict(zip(names, elsewhere(directory, names), strict=True))
        look = lambda _, name: seen[name]  # noqa: E731
    with opened_root(directory) as root, ThreadPoolExecutor(worker_count()) as pool:
        return list(pool.map(lambda name: _open(directory, root, name, look), names))


def _open(
    directory: Path, root: int, name: str, look: Callable[[int, str], Seen]
) -> OpenUpdate | Rejected | None:
    try:
        descriptor = open_beneath(root, name)
    except OSError as error:
        return _unusable(name, f"it cannot be opened: {(error.strerror or str(error)).lower()}")
    found = look(descriptor, name)
    if isinstance(found, Examined):
        return OpenUpdate(name, descriptor, found, directory / name)
    os.close(descriptor)
    return found


def examine_file(descriptor: int, name: str, tag: Tag | None = None) -> Seen:
    """Examine an open file as an update: None where it is none and may lie beside updates; see ``examine_update``."""
    try:
        found = _format(descriptor, name)
        if found == "safetensors":
            return examine_update(descriptor, tag)
        return None if found in _BESIDE else _unusable(name, f"it is {found}, and updates are safetensors")
    except Malformed as error:
        return _unusable(name, error.message, error.code)
    except OSError as error:
        return _unusable(name, f"it cannot be read: {(error.strerror or str(error)).lower()}")


def _format(descriptor: int, name: str) -> str:
    size = os.fstat(descriptor).st_size
    head = os.pread(descriptor, HEAD_BYTES, 0)
    return detect(head, size, os.pread(descriptor, HEAD_BYTES, max(0, size - HEAD_BYTES)), name)


def _unusable(name: str, message: str, rule: str = "") -> Rejected:
    return Rejected(
        contributor="", path=name, rule=rule if rule.startswith("AGG") else "AGG011", message=message
    )


@contextmanager
def open_base(path: Path, tag: Tag | None = None) -> Iterator[OpenUpdate]:
    """Open and examine the base model, a single safetensors file; raises ``UsageError`` where it cannot be used."""
    real = Path(os.path.realpath(path))
    try:
        descriptor = open_artifact_file(real.parent, real.name)
    except OSError as error:
        raise UsageError(
            f"cannot open the base model {path}: {(error.strerror or str(error)).lower()}"
        ) from error
    try:
        try:
            examined = examine_update(descriptor, tag)
        except (Malformed, OSError) as error:
            raise UsageError(f"cannot use the base model {path}: {error}") from error
        yield OpenUpdate(str(path), descriptor, examined, real)
    finally:
        os.close(descriptor)
