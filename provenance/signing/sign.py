"""The verb ``sign``: read an artifact once, write a bundle."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path

import msgspec

from policies import Finding, outcome
from provenance.artifacts.algorithms import DIGEST_SIZES
from provenance.artifacts.atomic import write_atomically
from provenance.artifacts.listing import list_artifact
from provenance.artifacts.manifest import Manifest, Resource, Serialization
from provenance.artifacts.measuring import Measure, measure
from provenance.artifacts.names import (
    ATTESTATION_DIRECTORY,
    DEFAULT_IGNORED,
    DEFAULT_SIGNATURE,
    ignore_problem,
)
from provenance.artifacts.reading import Digested, Progress
from provenance.attestations.discovery import default_bundle_path
from provenance.attestations.limits import MAX_PAYLOAD_BYTES
from provenance.attestations.oms import SINGLE_FILE, manifest_statement
from provenance.errors import Refused, Undecided, UsageError
from provenance.signing.keys import PrivateKey
from provenance.signing.signers import (
    PayloadSigner,
    certificate_signer,
    key_signer,
    open_key,
    sigstore_signer,
)

__all__ = ["build_manifest", "sign", "sign_measured"]

AnyPath = str | PathLike[str]


def sign(  # noqa: PLR0913 (the options of the command)
    path: AnyPath,
    *,
    key: AnyPath | PrivateKey | None = None,
    password: str | bytes | None = None,
    certificate: AnyPath | None = None,
    chain: Sequence[AnyPath] = (),
    sigstore: bool = False,
    identity_token: str | None = None,
    trust_config: AnyPath | None = None,
    signature: AnyPath | None = None,
    digest: str = "sha256",
    shard_size: int | None = None,
    ignore: Iterable[str] = (),
    add: bool = False,
    allow_symlinks: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Sign a file or a directory and return the path of the bundle.

    The bundle is ``signature``, else ``model.sig`` in the directory or ``<file>.sigstore.json``; ``add`` puts another
    one into ``.provenance/`` beside it. It is written so that a kill leaves the old bundle or the new one. Raises
    ``UsageError`` for wrong arguments, ``Refused`` or ``Undecided`` for files that cannot be signed or read.
    """
    path = Path(path)
    signer = _signer(key, password, certificate, chain, sigstore, identity_token, trust_config)
    named = Path(signature) if signature is not None else None
    if digest not in DIGEST_SIZES or (shard_size is not None and shard_size <= 0):
        raise UsageError("the digest must be sha256, blake2b or blake3, and a shard at least one byte")
    ignore = tuple(ignore)
    for name in ignore:
        if problem := ignore_problem(name):
            raise UsageError(
                f"cannot ignore {name}: it {problem}", hint="name a path relative to the artifact"
            )
    own = _inside(path, named)
    serialization = Serialization(
        method="files" if shard_size is None else "shards",
        hash_type=digest,
        shard_size=shard_size,
        allow_symlinks=allow_symlinks,
        ignore_paths=_recorded(path, ignore, own),
    )
    manifest = build_manifest(path, serialization, ignore=ignore, own=own, progress=progress)
    if not path.is_dir():
        manifest = _single_file(manifest)
    return _signed(path, manifest, signer, named, add=add)


def sign_measured(path: Path, measured: Digested, *, key: PrivateKey) -> Path:
    """Sign a file as ``sign`` does with a key, by its SHA-256 and chunk digests, without reading it again.

    So what is signed is what was measured, whatever lies there now.
    """
    resource = Resource(name=SINGLE_FILE, algorithm="sha256", digest=measured.digest, chunks=measured.chunks)
    serialization = Serialization(ignore_paths=_recorded(path, (), ()))
    return _signed(path, Manifest(resources=(resource,), serialization=serialization), key_signer(key), None)


def _signed(
    path: Path, manifest: Manifest, signer: PayloadSigner, named: Path | None, *, add: bool = False
) -> Path:
    # The name only tells people what was signed; bytes that are not UTF-8 cannot stand in a statement.
    name = os.fsencode(path.resolve().name).decode("utf-8", "replace") or "artifact"
    statement = manifest_statement(manifest, name)
    if len(statement) > MAX_PAYLOAD_BYTES:
        raise Refused(f"{path} has too many files for one bundle", hint="sign its parts one by one")
    bundle = signer(statement)
    target = _target(path, named, bundle, add=add)
    _write(target, bundle)
    return target


def build_manifest(
    path: Path,
    serialization: Serialization,
    *,
    ignore: Iterable[str] = (),
    own: Iterable[str] = (),
    chunks: bool = True,
    progress: Progress | None = None,
    measuring: Measure = measure,
) -> Manifest:
    """List and digest an artifact in one read, with the chunk digests of whole files unless they are not wanted.

    ``measuring`` does what ``measure`` does, maybe somewhere else. Raises ``Refused`` or ``Undecided`` with the first
    finding where a file cannot be signed.
    """
    listing = list_artifact(path, ignore=ignore, own=own, allow_symlinks=serialization.allow_symlinks)
    _require(listing.findings, path)
    measured = measuring(
        listing,
        serialization,
        chunks=chunks and serialization.method == "files",
        progress=progress,
    )
    _require(measured.findings, path)
    if not measured.resources:
        raise Refused(f"there is nothing to sign in {path}", code="ART007")
    return Manifest(resources=measured.resources, serialization=serialization)


def _single_file(manifest: Manifest) -> Manifest:
    """Name the one file as the reference tool does, which can verify no other name; readers match it by digest."""
    resources = tuple(msgspec.structs.replace(resource, name=SINGLE_FILE) for resource in manifest.resources)
    return msgspec.structs.replace(manifest, resources=resources)


def _require(findings: Sequence[Finding], path: Path) -> None:
    first = next((found for found in findings if found.severity == "error"), None)
    if first is not None:
        kind = Refused if outcome([first]) == "refused" else Undecided
        place = "" if first.path == str(path) else f"{first.path}: "
        raise kind(f"cannot sign {path}: {place}{first.message}", code=first.rule, hint=first.hint)


def _signer(
    key: AnyPath | PrivateKey | None,
    password: str | bytes | None,
    certificate: AnyPath | None,
    chain: Sequence[AnyPath],
    sigstore: bool,  # noqa: FBT001
    identity_token: str | None,
    trust_config: AnyPath | None,
) -> PayloadSigner:
    if (key is None) == (not sigstore):
        raise UsageError("give one thing to sign with", hint="--key KEY or --sigstore")
    if sigstore:
        config = Path(trust_config) if trust_config is not None else None
        return sigstore_signer(identity_token=identity_token, trust_config=config)
    assert key is not None
    private = open_key(Path(key) if isinstance(key, str | PathLike) else key, password)
    if certificate is not None:
        return certificate_signer(private, Path(certificate), [Path(each) for each in chain])
    if chain:
        raise UsageError("a chain needs a certificate", hint="name it with --certificate")
    return key_signer(private)


def _inside(path: Path, named: Path | None) -> tuple[str, ...]:
    if named is None:
        return ()
    try:
        return (named.resolve().relative_to(path.resolve()).as_posix(),)
    except ValueError:
        return ()


def _recorded(path: Path, ignore: tuple[str, ...], own: tuple[str, ...]) -> tuple[str, ...]:
    """What the bundle records as left out, so that any OMS verifier leaves out the same."""
    if not path.is_dir():
        return DEFAULT_IGNORED
    beside = {name for name in _sigstore_files(path) if ignore_problem(name) is None}
    return tuple(sorted({*DEFAULT_IGNORED, ATTESTATION_DIRECTORY, DEFAULT_SIGNATURE, *ignore, *own, *beside}))


def _sigstore_files(path: Path) -> list[str]:
    """Bundles of single files inside of the artifact: no part of the manifest, so they are recorded as left out."""
    return [
        found.relative_to(path).as_posix()
        for found in path.rglob("*.sigstore.json")
        if found.with_name(found.name.removesuffix(".sigstore.json")).exists()
    ]


def _target(path: Path, named: Path | None, bundle: bytes, *, add: bool) -> Path:
    if named is not None:
        return named
    default = default_bundle_path(path)
    if not add:
        return default
    root = path if path.is_dir() else path.parent
    name = hashlib.sha256(bundle).hexdigest()[:32]
    return root / ATTESTATION_DIRECTORY / f"{name}.sigstore.json"


def _write(target: Path, bundle: bytes) -> None:
    try:
        target.parent.mkdir(exist_ok=True)
        write_atomically(target, bundle)
    except OSError as error:
        raise UsageError(f"cannot write {target}: {(error.strerror or str(error)).lower()}") from error
