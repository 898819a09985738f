"""Subjects of our statements: an artifact by its OMS root digest, with what else identifies it as annotations."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from provenance.artifacts.manifest import Resource, dir_hash, root_digest
from provenance.attestations.statement import Subject

__all__ = ["artifact_name", "artifact_subject", "file_subject"]


def artifact_name(path: Path) -> str:
    """Return the base name of an artifact; it only tells people what is meant, so it is made to be UTF-8."""
    return os.fsencode(path.resolve().name).decode("utf-8", "replace") or "artifact"


def file_subject(name: str, sha256: bytes) -> Subject:
    """Make the subject of a single file from the raw SHA-256 of its bytes.

    ``digest.sha256`` is the root digest over its one resource (OMS v1.0, section 6.5.1); ``dirHash`` names the file.
    """
    resource = Resource(name=name, algorithm="sha256", digest=sha256)
    return _subject(name, (resource,), {"fileSha256": sha256.hex()})


def artifact_subject(name: str, resources: Sequence[Resource]) -> Subject:
    """Make the subject of a directory from the SHA-256 resources of its files, in the order of their names."""
    return _subject(name, resources, {})


def _subject(name: str, resources: Sequence[Resource], more: dict[str, str]) -> Subject:
    names = dir_hash(resources)
    bound = {"dirHash": names} if names is not None else {}
    return Subject(
        name=name,
        digest={"sha256": root_digest(resources).hex()},
        annotations={**bound, **more} or None,
    )
