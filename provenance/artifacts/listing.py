"""Enumerating the files of an artifact (OMS v1.0, section 6.1), with a finding for whatever cannot be signed."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from policies import Finding, finding
from provenance.artifacts.atomic import TEMPORARY
from provenance.artifacts.names import (
    ATTESTATION_DIRECTORY,
    ATTESTATION_SUFFIXES,
    DEFAULT_IGNORED,
    DEFAULT_SIGNATURE,
    collision_key,
    is_utf8,
)
from provenance.artifacts.opening import open_artifact_file, open_directory, opened_root

__all__ = ["FileEntry", "Listing", "list_artifact", "list_one"]


class FileEntry(NamedTuple):
    """A regular file of an artifact: its name relative to the root, with ``/``, and its size in bytes."""

    name: str
    size: int


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """What lies in an artifact.

    ``root`` is the directory that the names are relative to: the artifact itself, or the parent of a ``single`` file.
    ``files`` are sorted by name; ``uncovered`` are the excluded paths that exist, which no signature covers.
    """

    root: Path
    single: bool
    files: tuple[FileEntry, ...]
    uncovered: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    allow_symlinks: bool = False

    @property
    def total_bytes(self) -> int:
        """The sum of the sizes of all files."""
        return sum(entry.size for entry in self.files)


def list_artifact(
    path: Path, *, ignore: Iterable[str] = (), own: Iterable[str] = (), allow_symlinks: bool = False
) -> Listing:
    """List a file or a directory, without following a link out of it.

    ``ignore`` are exact relative paths left out beside the default ones; ``own`` are paths of bundles, left out and
    not reported. An artifact that is absent or empty has a finding and no files.
    """
    try:
        kind = os.stat(path).st_mode
    except OSError as error:
        return _empty(path, finding("ART010", f"cannot find {path}: {_reason(error)}", path=str(path)))
    if stat.S_ISREG(kind):
        return _single(path, allow_symlinks=allow_symlinks)
    if not stat.S_ISDIR(kind):
        return _empty(path, finding("ART002", "is a device, socket or pipe", path=str(path)))
    walk = _Walk(
        frozenset(DEFAULT_IGNORED) | frozenset(ignore), frozenset(own), allow_symlinks=allow_symlinks
    )
    with opened_root(path) as root:
        walk.run(root)
    if not walk.files and not walk.findings:
        walk.findings.append(finding("ART007", "there is no file in it", path=str(path)))
    return Listing(
        root=path,
        single=False,
        files=tuple(sorted(walk.files)),
        uncovered=tuple(sorted(walk.uncovered)),
        findings=tuple(walk.findings) + tuple(_collisions(walk)),
        allow_symlinks=allow_symlinks,
    )


def list_one(root: Path, name: str, *, allow_symlinks: bool = False) -> Listing:
    """List one file of a directory, whatever else lies in it; where it is absent, a finding says so."""
    try:
        descriptor = open_artifact_file(root, name, allow_symlinks=allow_symlinks)
    except OSError as error:
        said = f"cannot find {name}: {_reason(error)}"
        return _empty(root, finding("ART010", said, path=name))
    try:
        files = (FileEntry(name, os.fstat(descriptor).st_size),)
    finally:
        os.close(descriptor)
    return Listing(root=root, single=False, files=files, allow_symlinks=allow_symlinks)


def _empty(path: Path, *findings: Finding) -> Listing:
    return Listing(root=path, single=False, files=(), findings=findings)


def _single(path: Path, *, allow_symlinks: bool) -> Listing:
    # The user named this very file; a link in its place is resolved once, here, and the target is what is opened.
    real = Path(os.path.realpath(path))
    if not is_utf8(path.name):
        return _empty(path, finding("ART003", "the name is not valid UTF-8", path=path.name))
    return Listing(
        root=real.parent,
        single=True,
        files=(FileEntry(real.name, os.stat(real).st_size),),
        allow_symlinks=allow_symlinks,
    )


class _Walk:
    """The state of one enumeration: what is left to visit and what was found so far."""

    def __init__(self, ignored: frozenset[str], own: frozenset[str], *, allow_symlinks: bool) -> None:
        self.ignored, self.own, self.allow_symlinks = ignored, own, allow_symlinks
        self.files: list[FileEntry] = []
        self.directories: list[str] = []
        self.uncovered: list[str] = []
        self.findings: list[Finding] = []

    def run(self, root: int) -> None:
        base = os.path.realpath(f"/proc/self/fd/{root}") if self.allow_symlinks else ""
        pending = [""]
        while pending:
            directory = pending.pop()
            try:
                descriptor = self._open(root, base, directory)
            except OSError as error:
                self._unreadable(directory, error)
                continue
            try:
                with os.scandir(descriptor) as entries:
                    pending.extend(self._visit(f"{directory}/" if directory else "", base, list(entries)))
            finally:
                os.close(descriptor)

    def _open(self, root: int, base: str, directory: str) -> int:
        if not self.allow_symlinks:
            return open_directory(root, directory)
        return open_directory(
            root, os.path.relpath(os.path.realpath(os.path.join(base, directory)), base).strip(".")
        )

    def _unreadable(self, name: str, error: OSError) -> None:
        rule = "ART001" if error.errno in {errno.ELOOP, errno.ENOTDIR} else "ART008"
        self.findings.append(finding(rule, f"cannot be listed: {_reason(error)}", path=name or "."))

    def _visit(self, prefix: str, base: str, entries: list[os.DirEntry[str]]) -> Iterator[str]:
        siblings = {entry.name for entry in entries}
        for entry in entries:
            name = prefix + entry.name
            if name in self.own or _is_attestation(name, siblings):
                continue
            if name in self.ignored:
                self.uncovered.append(name)
            elif not is_utf8(entry.name):
                shown = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
                self.findings.append(finding("ART003", "the name is not valid UTF-8", path=shown))
            elif entry.is_dir(follow_symlinks=False):
                self.directories.append(name)
                yield name
            elif entry.is_file(follow_symlinks=False):
                self.files.append(FileEntry(name, entry.stat(follow_symlinks=False).st_size))
            elif entry.is_symlink():
                yield from self._link(name, base)
            else:
                self.findings.append(finding("ART002", "is a device, socket or pipe", path=name))

    def _link(self, name: str, base: str) -> Iterator[str]:
        if not self.allow_symlinks:
            self.findings.append(finding("ART001", "is a symbolic link", path=name))
            return
        target = os.path.realpath(os.path.join(base, name))
        if not (target + os.sep).startswith(base + os.sep):
            self.findings.append(
                finding("ART001", "is a symbolic link that leads out of the artifact", path=name)
            )
        elif os.path.isfile(target):
            self.files.append(FileEntry(name, os.stat(target).st_size))
        elif os.path.isdir(target):
            parent = os.path.realpath(os.path.join(base, os.path.dirname(name)))
            if (parent + os.sep).startswith(target + os.sep):
                self.findings.append(
                    finding("ART001", "is a symbolic link to a directory above it", path=name)
                )
            else:
                yield name
        else:
            self.findings.append(finding("ART001", "is a symbolic link to nothing", path=name))


def _is_attestation(name: str, siblings: set[str]) -> bool:
    """Attestation files are never part of a manifest; anything else that hides in their directory is."""
    leaf = name.rpartition("/")[2]
    half_written = TEMPORARY.fullmatch(leaf)
    if half_written:
        name = name.removesuffix(leaf) + half_written[1]
        leaf = half_written[1]
    if name == DEFAULT_SIGNATURE:
        return True
    if name.startswith(f"{ATTESTATION_DIRECTORY}/"):
        return name.endswith(ATTESTATION_SUFFIXES)
    return leaf.endswith(".sigstore.json") and leaf.removesuffix(".sigstore.json") in siblings


def _collisions(walk: _Walk) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for name in sorted([*walk.directories, *(entry.name for entry in walk.files)]):
        other = seen.setdefault(collision_key(name), name)
        if other is not name:
            yield finding("ART006", f"some file systems take it for {other}", path=name)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
