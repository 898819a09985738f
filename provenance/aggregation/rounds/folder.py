"""The files of a round: each opened once, read once to its end, and kept open for the passes that follow."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from provenance.aggregation.rounds.claims import Rejected
from provenance.aggregation.rounds.examining import Examined, examine_update
from provenance.aggregation.rounds.ready import Ready
from provenance.aggregation.rounds.sealing import Tag
from provenance.aggregation.rounds.sharded import open_sharded
from provenance.aggregation.rounds.stream import OpenUpdate
from provenance.artifacts.cores import on_all_cores
from provenance.artifacts.listing import list_artifact
from provenance.artifacts.names import ATTESTATION_DIRECTORY, ATTESTATION_SUFFIXES
from provenance.artifacts.opening import open_artifact_file, open_beneath, opened_root
from provenance.errors import Malformed, UsageError
from provenance.scanning.detect import HEAD_BYTES, detect

__all__ = [
    "MAX_UPDATES",
    "Elsewhere",
    "Folder",
    "ReadTogether",
    "Seen",
    "Together",
    "examine_file",
    "format_of",
    "open_base",
    "opened_updates",
]

MAX_UPDATES: Final = 10_000
_RESERVED: Final = 256  # descriptors for everything else
_BESIDE: Final = frozenset({"json", "text"})  # notes and settings may lie beside updates

Seen = Examined | Rejected | None
"""What a file turned out to be."""
Elsewhere = Callable[[Path, Sequence[str]], Iterable[Seen]]
"""Examines the files of a folder somewhere else, by their names and in their order, with tags that are public."""


class Together(NamedTuple):
    """What some files turned out to be that were read side by side, and what was computed with them meanwhile."""

    seen: Mapping[str, Examined]
    ready: Ready | None = None


ReadTogether = Callable[[Mapping[str, int]], Together]
"""Reads some of the open files of a folder (their descriptors by name) side by side."""


class Folder(msgspec.Struct, frozen=True):
    """The updates of a folder by their names, and the files that are none; ``ready`` is of some of the updates."""

    updates: tuple[OpenUpdate, ...]
    rejected: tuple[Rejected, ...]
    ready: Ready | None = None


@contextmanager
def opened_updates(
    directory: Path, elsewhere: Elsewhere | None = None, together: ReadTogether | None = None
) -> Iterator[Folder]:
    """Open and examine every file of a folder, here or elsewhere; all are closed when the block ends.

    Those that ``together`` gives back are not read once more.

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
    with ExitStack() as stack:
        descriptors, unopened = _all_opened(directory, names, stack)
        read = together(descriptors) if together is not None else Together({})
        if elsewhere is not None:
            seen = dict(zip(names, elsewhere(directory, names), strict=True))
        else:
            seen = _all_seen(descriptors, read.seen)
        updates = tuple(
            OpenUpdate(name, descriptor, found, directory / name)
            for name, descriptor in descriptors.items()
            if isinstance(found := seen[name], Examined)
        )
        others = [seen[name] for name in descriptors]
        unusable = [each for each in others if isinstance(each, Rejected)]
        yield Folder(updates, (*refused, *unopened, *unusable), read.ready)


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
    directory: Path, names: Sequence[str], stack: ExitStack
) -> tuple[dict[str, int], list[Rejected]]:
    descriptors: dict[str, int] = {}
    unopened: list[Rejected] = []
    with opened_root(directory) as root:
        for name in names:
            try:
                descriptors[name] = open_beneath(root, name)
                stack.callback(os.close, descriptors[name])
            except OSError as error:
                said = f"it cannot be opened: {(error.strerror or str(error)).lower()}"
                unopened.append(_unusable(name, said))
    return descriptors, unopened


def _all_seen(descriptors: Mapping[str, int], known: Mapping[str, Examined]) -> dict[str, Seen]:
    unknown = [name for name in descriptors if name not in known]
    found = on_all_cores(lambda name: examine_file(descriptors[name], name), unknown)
    return {**known, **dict(zip(unknown, found, strict=True))}


def examine_file(descriptor: int, name: str, tag: Tag | None = None) -> Seen:
    """Examine an open file as an update: None where it is none and may lie beside updates; see ``examine_update``."""
    try:
        found = format_of(descriptor, name)
        if found == "safetensors":
            return examine_update(descriptor, tag)
        return None if found in _BESIDE else _unusable(name, f"it is {found}, and updates are safetensors")
    except Malformed as error:
        return _unusable(name, error.message, error.code)
    except OSError as error:
        return _unusable(name, f"it cannot be read: {(error.strerror or str(error)).lower()}")


def format_of(descriptor: int, name: str) -> str:
    """Say what kind of file an open one is; raises ``OSError``."""
    size = os.fstat(descriptor).st_size
    head = os.pread(descriptor, HEAD_BYTES, 0)
    return detect(head, size, os.pread(descriptor, HEAD_BYTES, max(0, size - HEAD_BYTES)), name)


def _unusable(name: str, message: str, rule: str = "") -> Rejected:
    return Rejected(
        contributor="", path=name, rule=rule if rule.startswith("AGG") else "AGG011", message=message
    )


@contextmanager
def open_base(path: Path, tag: Tag | None = None) -> Iterator[OpenUpdate]:
    """Open and examine the base model; raises ``UsageError`` where it cannot be used.

    It is one safetensors file, or a directory whose files at the top hold the tensors, known by the digest of all of
    its files. A ``tag`` is given where other processes read it too, which they cannot with a directory.
    """
    real = Path(os.path.realpath(path))
    if real.is_dir():
        if tag is not None:
            raise UsageError(
                f"the base model {path} is a directory, which workers elsewhere cannot read",
                hint="take a base model in one file, or aggregate on this machine",
            )
        with ExitStack() as stack:
            try:
                model = stack.enter_context(open_sharded(str(path), real))
            except (Malformed, OSError) as error:
                raise UsageError(f"cannot use the base model {path}: {error}") from error
            yield model
        return
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
