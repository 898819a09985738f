"""Where the bundles of an artifact lie: beside it, never on a network, and found by place, not by what they claim."""

from __future__ import annotations

import binascii
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from provenance.artifacts.names import ATTESTATION_DIRECTORY, DEFAULT_SIGNATURE
from provenance.attestations.limits import MAX_BUNDLE_BYTES, MAX_BUNDLES, MAX_STORE_BYTES
from provenance.attestations.types import SIGNATURE_PREDICATE_TYPES
from provenance.errors import Malformed, ProvenanceError, Unreadable

__all__ = [
    "BundleSource",
    "Found",
    "attestation_lines",
    "default_bundle_path",
    "find_bundles",
    "read_bundle",
    "stored_bundles",
]

_SUFFIX = ".sigstore.json"
_LINES = ".jsonl"
# O_NONBLOCK: opening a FIFO must not wait for a writer.
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


class BundleSource(msgspec.Struct, frozen=True):
    """The bytes of one bundle, not looked into yet, and where they lie, for messages.

    ``problem`` is why there are none, for a bundle that is one of several: who opens it raises it.
    """

    where: str
    data: bytes = b""
    problem: ProvenanceError | None = None


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
    where there is another one; those that hold other statements than signatures are left out. Raises ``Unreadable``:
    SIG001 where there is none, SIG009 where one cannot be read.
    """
    if signature is not None:
        return Found(primary=(read_bundle(signature),))
    own = default_bundle_path(artifact)
    beside = own.parent / ATTESTATION_DIRECTORY
    stored = tuple(source for source in stored_bundles(beside) if not _is_of_another_kind(source))
    for place in (own, own.with_name(DEFAULT_SIGNATURE)):
        if os.path.lexists(place):
            return Found(primary=(read_bundle(place),), additional=stored)
    if len(stored) == 1:
        return Found(primary=stored)
    if stored:  # none of them is the one: which speaks of this artifact is found out by digest
        return Found(additional=stored)
    raise Unreadable(f"there is no signature of {artifact}", code="SIG001")


class _PeekedEnvelope(msgspec.Struct):
    payload: str


class _PeekedBundle(msgspec.Struct, rename="camel"):
    dsse_envelope: _PeekedEnvelope


class _PeekedStatement(msgspec.Struct, rename="camel"):
    predicate_type: str


def _is_of_another_kind(source: BundleSource) -> bool:
    """Tell a statement of lineage from a signature by what it claims to be; whatever is broken is not left out.

    Nothing is verified here: who writes a wrong claim only keeps a bundle of his own from being looked at.
    """
    try:
        payload = msgspec.json.decode(source.data, type=_PeekedBundle).dsse_envelope.payload
        claimed = msgspec.json.decode(binascii.a2b_base64(payload), type=_PeekedStatement).predicate_type
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False
    return claimed not in SIGNATURE_PREDICATE_TYPES


def read_bundle(path: Path) -> BundleSource:
    """Read one bundle, bounded; raises ``Unreadable`` (SIG001, SIG009), or ``Malformed`` (SIG008) if too large."""
    try:
        return BundleSource(str(path), _read(os.open(path, _FLAGS)))
    except FileNotFoundError as error:
        raise Unreadable(f"there is no bundle {path}", code="SIG001") from error
    except OSError as error:
        raise _unreadable("the bundle", error) from error


def _read(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise Unreadable("the bundle is not a regular file", code="SIG009")
        data = file.read(MAX_BUNDLE_BYTES + 1)
    if len(data) > MAX_BUNDLE_BYTES:
        raise Malformed(f"the bundle has more than {MAX_BUNDLE_BYTES:,} bytes", code="SIG008")
    return data


def _unreadable(what: str, error: OSError) -> Unreadable:
    return Unreadable(f"cannot read {what}: {(error.strerror or str(error)).lower()}", code="SIG009")


def stored_bundles(directory: Path) -> Iterator[BundleSource]:
    """Read the bundles of a ``.provenance/`` directory: ``*.sigstore.json``, and each line of ``*.jsonl``.

    Nothing is read where there is no such directory, and no link is followed. What cannot be read, or lies beyond
    the bounds on files and bytes, is yielded with its problem (SIG008, SIG009).
    """
    try:
        root = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    except OSError as error:
        yield BundleSource(str(directory), problem=_unreadable("the attestations", error))
        return
    try:
        count = total = 0
        for source in _stored(root, directory):
            count, total = count + 1, total + len(source.data)
            if count > MAX_BUNDLES or total > MAX_STORE_BYTES:
                problem = Unreadable(f"there are too many attestations in {directory}", code="SIG009")
                yield BundleSource(str(directory), problem=problem)
                return
            yield source
    finally:
        os.close(root)


def _stored(root: int, directory: Path) -> Iterator[BundleSource]:
    for name in sorted(os.listdir(root)):
        if name.endswith(_SUFFIX):
            yield _member(root, directory, name)
        elif name.endswith(_LINES):
            yield from attestation_lines(_member(root, directory, name))


def _member(root: int, directory: Path, name: str) -> BundleSource:
    where = str(directory / name)
    try:
        return BundleSource(where, _read(os.open(name, _FLAGS | os.O_NOFOLLOW, dir_fd=root)))
    except OSError as error:
        return BundleSource(where, problem=_unreadable("the bundle", error))
    except ProvenanceError as error:
        return BundleSource(where, problem=error)


def attestation_lines(source: BundleSource) -> Iterator[BundleSource]:
    """An in-toto bundle holds one document a line; those that are no Sigstore bundles are not signatures."""
    if source.problem is not None:
        yield source
    for number, line in enumerate(source.data.split(b"\n"), 1):
        if b'"verificationMaterial"' in line:
            yield BundleSource(f"{source.where}:{number}", line)
