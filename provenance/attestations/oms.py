"""OpenSSF Model Signing v1.0: manifests as statements, written by the specification and read in every variant.

Source: ossf/model-signing-spec, spec/v1.0.md, sections 5, 6 and 11.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from policies import Finding, finding
from provenance.artifacts.algorithms import CHUNK_ALGORITHM, CHUNK_SIZE, DIGEST_SIZES
from provenance.artifacts.manifest import Manifest, Resource, Serialization, dir_hash, root_digest
from provenance.artifacts.names import name_problem
from provenance.attestations.statement import Statement, Subject, encode_statement, parse_statement
from provenance.attestations.strict_json import convert
from provenance.attestations.types import HISTORICAL_PREDICATE_TYPE, OMS_PREDICATE_TYPE
from provenance.errors import Malformed, Unreadable

__all__ = ["SINGLE_FILE", "SignedManifest", "manifest_statement", "read_manifest"]

_SHARD: Final = re.compile(r"(?s)(.+):([0-9]{1,18}):([0-9]{1,18})")
# Before 1.0 the algorithm of a shard named the size too: sha256-sharded-67108864.
_SHARDED: Final = re.compile(r"(sha256|blake2b|blake3)-sharded-[0-9]+")
# What releases of the reference tool call the file of an artifact of one file (the specification says its base name).
SINGLE_FILE: Final = "."


class SignedManifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement says of an artifact; ``findings`` are remarks about its form (SIG010)."""

    manifest: Manifest
    subject_name: str
    root_digest: bytes
    dir_hash: str | None = None
    findings: tuple[Finding, ...] = ()


class _WireAnnotations(msgspec.Struct, frozen=True):
    chunk_size: Any = None
    chunk_algorithm: Any = None
    chunks: tuple[str, ...] | None = None


class _WireResource(msgspec.Struct, frozen=True):
    name: str
    algorithm: str
    digest: str
    annotations: _WireAnnotations | None = None


class _WireSerialization(msgspec.Struct, frozen=True):
    method: str
    hash_type: str
    allow_symlinks: bool = False
    shard_size: float | None = None
    ignore_paths: tuple[str, ...] = ()


class _WirePredicate(msgspec.Struct, frozen=True):
    resources: tuple[_WireResource, ...]
    serialization: _WireSerialization


def manifest_statement(manifest: Manifest, subject_name: str) -> bytes:
    """Write a manifest as the payload of an OMS statement, with ``dirHash`` and chunk digests as annotations."""
    names = _named_dir_hash(manifest.resources, subject_name)
    subject = Subject(
        name=subject_name,
        digest={"sha256": root_digest(manifest.resources).hex()},
        annotations={"dirHash": names} if names is not None else None,
    )
    predicate = {
        "resources": [_written(resource) for resource in manifest.resources],
        "serialization": _written_serialization(manifest.serialization),
    }
    statement = Statement(subject=(subject,), predicate_type=OMS_PREDICATE_TYPE, predicate=predicate)
    return encode_statement(statement)


def _named_dir_hash(resources: tuple[Resource, ...], subject_name: str) -> str | None:
    """``dirHash``, in which a file that is the whole artifact has its own name and not ``.``."""
    if len(resources) == 1 and resources[0].name == SINGLE_FILE:
        resources = (msgspec.structs.replace(resources[0], name=subject_name),)
    return dir_hash(resources)


def _written(resource: Resource) -> dict[str, Any]:
    wire: dict[str, Any] = {
        "name": resource.identifier,
        "algorithm": resource.algorithm,
        "digest": resource.digest.hex(),
    }
    if resource.chunks is not None:
        wire["annotations"] = {
            "chunk_size": CHUNK_SIZE,
            "chunk_algorithm": CHUNK_ALGORITHM,
            "chunks": [chunk.hex() for chunk in resource.chunks],
        }
    return wire


def _written_serialization(serialization: Serialization) -> dict[str, Any]:
    wire: dict[str, Any] = {"method": serialization.method, "hash_type": serialization.hash_type}
    if serialization.method == "shards":
        wire["shard_size"] = serialization.shard_size
    wire["allow_symlinks"] = serialization.allow_symlinks
    wire["ignore_paths"] = list(serialization.ignore_paths)
    return wire


def read_manifest(payload: bytes) -> SignedManifest:
    """Read the manifest of a verified payload.

    Raises ``Malformed`` for another kind of statement (SIG015), a wrong form (SIG008), unsafe names (ART004), names
    that occur twice (ART005) and digests that contradict each other (SIG011); ``Unreadable`` (SIG018) for an
    algorithm outside the registry.
    """
    statement = parse_statement(payload)
    if statement.predicate_type == HISTORICAL_PREDICATE_TYPE:
        return _read_historical(statement)
    if statement.predicate_type != OMS_PREDICATE_TYPE:
        message = f"the statement is no signature of an artifact but {statement.predicate_type[:200]!r}"
        raise Malformed(message, code="SIG015")
    if len(statement.subject) != 1:
        raise Malformed("the statement must have exactly one subject", code="SIG008")
    wire = convert(statement.predicate, _WirePredicate, what="the predicate")
    serialization = _serialization(wire.serialization)
    resources = tuple(_resource(each, serialization) for each in wire.resources)
    _check(resources, serialization)
    return _proven(statement.subject[0], Manifest(resources=resources, serialization=serialization))


def _read_historical(statement: Statement) -> SignedManifest:
    """Release 0.2.0 listed the files as subjects and left the predicate unused."""
    serialization = Serialization()
    resources = tuple(
        _resource(_WireResource(subject.name, "sha256", subject.digest.get("sha256", "")), serialization)
        for subject in statement.subject
    )
    resources = tuple(sorted(resources, key=lambda resource: resource.name))
    _check(resources, serialization)
    return SignedManifest(
        manifest=Manifest(resources=resources, serialization=serialization),
        subject_name="",
        root_digest=root_digest(resources),
        findings=(finding("SIG010", "it lists files as release 0.2.0 did"),),
    )


def _proven(subject: Subject, manifest: Manifest) -> SignedManifest:
    """Recompute both digests of the whole; the specification lets verifiers skip that, which hides contradictions."""
    root = root_digest(manifest.resources)
    if _from_hex(subject.digest.get("sha256", "")) != root:
        raise Malformed("the root digest is not that of the listed files", code="SIG011")
    claimed = (subject.annotations or {}).get("dirHash")
    if claimed is not None and claimed != _named_dir_hash(manifest.resources, subject.name):
        raise Malformed("the dirHash is not that of the listed names and files", code="SIG011")
    return SignedManifest(manifest=manifest, subject_name=subject.name, root_digest=root, dir_hash=claimed)


def _serialization(wire: _WireSerialization) -> Serialization:
    if wire.hash_type not in DIGEST_SIZES:
        raise Unreadable(f"the digest algorithm {wire.hash_type[:40]!r} is not known", code="SIG018")
    if wire.method == "files":
        size = None
    elif wire.method == "shards":
        size = int(wire.shard_size or 0)
        if not 0 < size < 2**62 or size != wire.shard_size:
            raise Malformed("the shard size is not a positive whole number", code="SIG008")
    else:
        raise Unreadable(f"the serialization method {wire.method[:40]!r} is not known", code="SIG018")
    return Serialization(
        method="files" if size is None else "shards",
        hash_type=wire.hash_type,
        shard_size=size,
        allow_symlinks=wire.allow_symlinks,
        ignore_paths=wire.ignore_paths,
    )


def _resource(wire: _WireResource, serialization: Serialization) -> Resource:
    sharded = _SHARDED.fullmatch(wire.algorithm)
    algorithm = sharded[1] if sharded else wire.algorithm
    if algorithm not in DIGEST_SIZES:
        raise Unreadable(f"the digest algorithm {algorithm[:40]!r} is not known", code="SIG018")
    if algorithm != serialization.hash_type:
        raise Malformed(f"{wire.name[:200]!r} has another digest algorithm than the manifest", code="SIG008")
    name, start, end = wire.name, 0, None
    if serialization.method == "shards":
        # A name may hold colons itself: only the last two numbers are the range.
        match = _SHARD.fullmatch(wire.name)
        if match is None:
            raise Malformed(f"{wire.name[:200]!r} does not name a range of a file", code="SIG008")
        name, start, end = match[1], int(match[2]), int(match[3])
    problem = None if name == SINGLE_FILE else name_problem(name)
    if problem is not None:
        raise Malformed(f"the name {name[:200]!r} {problem}", code="ART004")
    digest = _from_hex(wire.digest)
    if len(digest) != DIGEST_SIZES[algorithm]:
        raise Malformed(f"the digest of {name[:200]!r} is not of {algorithm}", code="SIG008")
    chunks = _chunks(wire, serialization)
    return Resource(name=name, algorithm=algorithm, digest=digest, start=start, end=end, chunks=chunks)


def _chunks(wire: _WireResource, serialization: Serialization) -> tuple[bytes, ...] | None:
    """Read our own annotations; those of others, or with another size or algorithm than ours, are left alone."""
    found = wire.annotations
    if found is None or found.chunks is None or serialization.method != "files":
        return None
    if type(found.chunk_size) is not int or type(found.chunk_algorithm) is not str:
        raise Malformed(f"the chunks of {wire.name[:200]!r} have no size or no algorithm", code="SIG008")
    if found.chunk_size != CHUNK_SIZE or found.chunk_algorithm != CHUNK_ALGORITHM:
        return None
    digests = tuple(map(_from_hex, found.chunks))
    if any(len(digest) != DIGEST_SIZES[CHUNK_ALGORITHM] for digest in digests):
        raise Malformed(
            f"the chunk digests of {wire.name[:200]!r} are not of {CHUNK_ALGORITHM}", code="SIG008"
        )
    return digests


def _from_hex(text: str) -> bytes:
    """Decode hex in either case; nothing for any other text (``fromhex`` alone would skip spaces)."""
    try:
        value = bytes.fromhex(text)
    except ValueError:
        return b""
    return value if len(value) * 2 == len(text) else b""


def _check(resources: tuple[Resource, ...], serialization: Serialization) -> None:
    """A manifest lists something, and each file (or range) once; the ranges of a file join without a hole."""
    if not resources:
        raise Malformed("the manifest lists no file", code="ART007")
    if (
        any(resource.name == SINGLE_FILE for resource in resources)
        and len({one.name for one in resources}) > 1
    ):
        raise Malformed("the name '.' is only for an artifact of one file", code="ART004")
    twice = _first_double(resource.identifier for resource in resources)
    if twice is not None:
        raise Malformed(f"the manifest lists {twice[:200]!r} twice", code="ART005")
    if serialization.method == "shards":
        _check_ranges(resources, serialization.shard_size or 0)


def _first_double(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    return next((name for name in names if name in seen or seen.add(name)), None)  # type: ignore[func-returns-value]


def _check_ranges(resources: tuple[Resource, ...], size: int) -> None:
    ranges: dict[str, list[tuple[int, int]]] = {}
    for resource in resources:
        ranges.setdefault(resource.name, []).append((resource.start, resource.end or 0))
    for name, parts in ranges.items():
        if list(_joined(sorted(parts), size)) != sorted(parts):
            raise Malformed(
                f"the ranges of {name[:200]!r} overlap, leave a hole or have a wrong size", code="SIG008"
            )


def _joined(parts: list[tuple[int, int]], size: int) -> Iterator[tuple[int, int]]:
    """The ranges as they must be, given how many there are and where the last one ends."""
    last = parts[-1][1]
    for index in range(len(parts)):
        start = index * size
        yield start, start + size if index < len(parts) - 1 else max(start + 1, min(last, start + size))
