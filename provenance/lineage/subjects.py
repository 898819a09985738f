"""The subject of an artifact on the disk: the one identity on which statements about it are joined."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from pathlib import Path

from provenance.artifacts.manifest import Serialization
from provenance.artifacts.reading import Progress
from provenance.attestations.statement import Subject
from provenance.attestations.subjects import artifact_name, artifact_subject, file_subject
from provenance.signing.sign import build_manifest

__all__ = ["subject_of"]


def subject_of(
    path: str | PathLike[str], *, ignore: Iterable[str] = (), progress: Progress | None = None
) -> Subject:
    """Read a file or a directory and return its subject.

    ``digest["sha256"]`` is the OMS root digest in hex, as `provenance digest` prints it; ``annotations`` has the
    ``dirHash``, and for a single file its plain SHA-256 as ``fileSha256``. ``ignore`` are exact relative paths left
    out as in ``sign``. Raises ``Refused`` or ``Undecided`` with a rule id where a file cannot be read or named.
    """
    path = Path(path)
    manifest = build_manifest(path, Serialization(), ignore=ignore, chunks=False, progress=progress)
    name = artifact_name(path)
    if path.is_dir():
        return artifact_subject(name, manifest.resources)
    return file_subject(name, manifest.resources[0].digest)
