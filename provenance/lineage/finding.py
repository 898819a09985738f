"""Finding statements: every bundle below some directories, by where it lies, never by what it claims."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Literal, NamedTuple

from provenance.artifacts.names import ATTESTATION_DIRECTORY, DEFAULT_SIGNATURE
from provenance.attestations.discovery import BundleSource, attestation_lines
from provenance.attestations.limits import MAX_BUNDLE_BYTES
from provenance.errors import Malformed, ProvenanceError, Unreadable
from provenance.signing.statements import UnverifiedStatement, read_statement

__all__ = ["Place", "PlaceKind", "Stamp", "find_statements", "places_beside", "places_in", "sources_in"]

PlaceKind = Literal["bundle", "lines", "dvc", "mlflow", "card"]

MAX_ENTRIES: Final = 20_000_000
_SUFFIX: Final = ".sigstore.json"
_UNSIGNED: Final[dict[str, PlaceKind]] = {"dvc.lock": "dvc", "README.md": "card", "meta.yaml": "mlflow"}
# O_NONBLOCK: opening a FIFO must not wait for a writer.
_FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


class Stamp(NamedTuple):
    """What changes of a file where its content does."""

    size: int
    modified: int
    changed: int
    inode: int


class Place(NamedTuple):
    """A file that may hold statements, and its stamp when it was found."""

    path: str
    kind: PlaceKind
    stamp: Stamp


def places_in(stores: Iterable[str | os.PathLike[str]]) -> Iterator[Place]:
    """Walk files and directories for whatever may hold statements, or notes of other tools; no link is followed.

    Bundles are ``*.sigstore.json``, ``model.sig``, and each line of ``*.jsonl`` in a ``.provenance`` directory.
    Raises ``Unreadable`` (SIG009) where a store is not there or cannot be listed: what is not looked at could hold
    a withdrawal.
    """
    for store in dict.fromkeys(os.path.realpath(each) for each in stores):
        try:
            found = os.stat(store)
            if stat.S_ISDIR(found.st_mode):
                yield from _walk(store)
            else:
                kind = _kind(os.path.basename(store), inside=True) or "bundle"
                yield Place(store, kind, _stamp(found))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise Unreadable(f"cannot look for statements in {store}: {reason}", code="LIN010") from error


def places_beside(artifact: Path) -> Iterator[Place]:
    """Find what may hold statements about an artifact in its usual places: its own, and those of its directory."""
    path = os.path.realpath(artifact)
    directory = path if os.path.isdir(path) else os.path.dirname(path)
    attestations = os.path.join(directory, ATTESTATION_DIRECTORY)
    if os.path.isdir(attestations) and not os.path.islink(attestations):
        yield from places_in([attestations])
    names = (DEFAULT_SIGNATURE, *_UNSIGNED) if path == directory else (DEFAULT_SIGNATURE, "dvc.lock")
    candidates = [os.path.join(directory, name) for name in names]
    if path != directory:
        candidates.append(path + _SUFFIX)
    for candidate in candidates:
        try:
            found = os.lstat(candidate)
        except OSError:
            continue
        kind = _kind(os.path.basename(candidate), inside=False)
        if stat.S_ISREG(found.st_mode) and kind is not None:
            yield Place(candidate, kind, _stamp(found))


def find_statements(stores: Iterable[str | os.PathLike[str]]) -> Iterator[UnverifiedStatement]:
    """Read every statement below some directories; nothing is verified.

    Raises ``Unreadable`` or ``Malformed`` for the first that cannot be read.
    """
    for place in places_in(stores):
        for source in sources_in(place):
            yield read_statement(source)


def sources_in(place: Place) -> Iterator[BundleSource]:
    """Read the bundles of one file that was found; what cannot be read is yielded with its problem."""
    if place.kind not in {"bundle", "lines"}:
        return
    try:
        data = read_bounded(place.path, MAX_BUNDLE_BYTES)
    except ProvenanceError as problem:
        yield BundleSource(place.path, problem=problem)
        return
    source = BundleSource(place.path, data)
    yield from attestation_lines(source) if place.kind == "lines" else (source,)


def read_bounded(path: str, most: int) -> bytes:
    """Read a regular file; raises ``Unreadable`` (SIG009) where that cannot be, ``Malformed`` where it is too large."""
    try:
        descriptor = os.open(path, _FLAGS)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Unreadable("it is not a regular file", code="SIG009")
            data = file.read(most + 1)
    except OSError as error:
        raise Unreadable(
            f"it cannot be read: {(error.strerror or str(error)).lower()}", code="SIG009"
        ) from error
    if len(data) > most:
        raise Malformed(f"it has more than {most:,} bytes", code="SIG008")
    return data


def _walk(store: str) -> Iterator[Place]:
    pending, count = [store], 0
    while pending:
        directory = pending.pop()
        inside = os.path.basename(directory) == ATTESTATION_DIRECTORY
        with os.scandir(directory) as entries:
            for entry in entries:
                count += 1
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != ".git":
                        pending.append(entry.path)
                    continue
                kind = _kind(entry.name, inside=inside)
                if kind is not None and entry.is_file(follow_symlinks=False):
                    yield Place(entry.path, kind, _stamp(entry.stat(follow_symlinks=False)))
        if count > MAX_ENTRIES:
            raise Unreadable(f"there are more than {MAX_ENTRIES:,} files below {store}", code="LIN010")


def _kind(name: str, *, inside: bool) -> PlaceKind | None:
    if name.endswith(_SUFFIX) or name == DEFAULT_SIGNATURE:
        return "bundle"
    if inside and name.endswith(".jsonl"):
        return "lines"
    return _UNSIGNED.get(name)


def _stamp(found: os.stat_result) -> Stamp:
    return Stamp(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
