"""Where the bundles of an artifact lie: beside it, never on a network, and found by place, not by what they claim."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from provenance.artifacts.names import ATTESTATION_DIRECTORY, DEFAULT_SIGNATURE
from provenance.attestations.limits import MAX_BUNDLE_BYTES, MAX_BUNDLES, MAX_STORE_BYTES
from provenance.errors import Malformed, Unreadable

__all__ = ["BundleSource", "Found", "default_bundle_path", "find_bundles", "read_bundle", "stored_bundles"]

_SUFFIX = ".sigstore.json"


class BundleSource(msgspec.Struct, frozen=True):
    """The bytes of one bundle, not looked into yet, and where they lie, for messages."""

    where: str
    data: bytes


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The bundles of an artifact: those that must hold, and those that may add a signature."""

    primary: tuple[BundleSource, ...] = ()
    additional: tuple[BundleSource, ...] = ()


def default_bundle_path(artifact: Path) -> Path:
    """Return where ``sign`` puts a bundle: ``model.sig`` in a directory, ``<file>.sigstore.json`` beside a file."""
    if artifact.is_dir():
        return artifact / DEFAULT_SIGNATURE
    return artifact.with_name(artifact.name + _SUFFIX)


def find_bundles(artifact: Path, *, signature: Path | None = None) -> Found:
    """Find the bundles of an artifact.

    The first place that exists is taken: ``signature``; ``<file>.sigstore.json``; ``model.sig`` in the directory (for
    a file: in its directory); ``.provenance/`` of the artifact's root. Bundles in ``.provenance/`` are additional
    where there is another one. Raises ``Unreadable``: SIG001 where there is none, SIG009 where one cannot be read.
    """
    if signature is not None:
        return Found(primary=(read_bundle(signature),))
    root = artifact if artifact.is_dir() else artifact.parent
    stored = tuple(stored_bundles(root / ATTESTATION_DIRECTORY))
    for place in (artifact.with_name(artifact.name + _SUFFIX), root / DEFAULT_SIGNATURE):
        if artifact.name and os.path.lexists(place):
            return Found(primary=(read_bundle(place),), additional=stored)
    if stored:
        # None of them is the one: which speaks of this artifact is found out by digest.
        return (
            Found(primary=stored[:1], additional=stored[1:]) if len(stored) == 1 else Found(additional=stored)
        )
    raise Unreadable(f"there is no signature of {artifact}", code="SIG001")


def read_bundle(path: Path) -> BundleSource:
    """Read one bundle, bounded; raises ``Unreadable`` (SIG001, SIG009), or ``Malformed`` (SIG008) if too large."""
    try:
        # O_NONBLOCK: opening a FIFO must not wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise Unreadable(f"there is no bundle {path}", code="SIG001") from error
    except OSError as error:
        raise Unreadable(
            f"cannot read the bundle: {(error.strerror or str(error)).lower()}", code="SIG009"
        ) from error
    return BundleSource(str(path), _read(descriptor))


def _read(descriptor: int) -> bytes:
    try:
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Unreadable("the bundle is not a regular file", code="SIG009")
            data = file.read(MAX_BUNDLE_BYTES + 1)
    except OSError as error:
        raise Unreadable(
            f"cannot read the bundle: {(error.strerror or str(error)).lower()}", code="SIG009"
        ) from error
    if len(data) > MAX_BUNDLE_BYTES:
        raise Malformed(f"the bundle has more than {MAX_BUNDLE_BYTES:,} bytes", code="SIG008")
    return data


def stored_bundles(directory: Path) -> Iterator[BundleSource]:
    """Read the bundles of a ``.provenance/`` directory: ``*.sigstore.json``, and each line of ``*.jsonl``.

    Links are not followed. Raises ``Unreadable`` (SIG009) where there are more files or bytes than the bounds.
    """
    try:
        names = sorted(entry.name for entry in os.scandir(directory) if entry.is_file(follow_symlinks=False))
    except OSError:
        return
    names = [name for name in names if name.endswith((_SUFFIX, ".jsonl"))]
    count = total = 0
    for name in names:
        source = read_bundle(directory / name)
        total += len(source.data)
        for bundle in [source] if name.endswith(_SUFFIX) else _lines(source):
            count += 1
            if count > MAX_BUNDLES or total > MAX_STORE_BYTES:
                raise Unreadable(f"there are too many attestations in {directory}", code="SIG009")
            yield bundle


def _lines(source: BundleSource) -> Iterator[BundleSource]:
    """An in-toto bundle holds one document a line; those that are no Sigstore bundles are not signatures."""
    for number, line in enumerate(source.data.split(b"\n"), 1):
        if b'"verificationMaterial"' in line:
            yield BundleSource(f"{source.where}:{number}", line)
