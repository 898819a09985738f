"""A curated data set: its records and those of its inputs are read once, for digests and leaves, and matched."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from provenance.artifacts.atomic import write_atomically
from provenance.artifacts.listing import list_artifact
from provenance.artifacts.reading import Progress
from provenance.artifacts.records.cutting import CUT_FORMATS, CutFormat, holds_records
from provenance.artifacts.records.reading import RecordsRead, read_records
from provenance.attestations.contribution import LEAF_RULES, TREE_ALGORITHM, RecordFormat
from provenance.attestations.statement import Subject
from provenance.attestations.subjects import artifact_name, artifact_subject, file_subject
from provenance.errors import Malformed, UsageError
from provenance.lineage.matching import Origins, match_records
from provenance.lineage.statements import make_attestation_directory
from provenance.lineage.subjects import subject_of

__all__ = ["ORIGINS_SUFFIX", "Curated", "curate", "origins_path", "record_format_of"]

ORIGINS_SUFFIX: Final = ".origins"
_BUNDLE_SUFFIX: Final = ".sigstore.json"


class Curated(NamedTuple):
    """The subjects of output and inputs, what the statement says of the records, and the sidecar's content."""

    output: Subject
    inputs: tuple[Subject, ...]
    counts: dict[str, Any]
    origins: bytes = b""

    @property
    def origins_digest(self) -> str:
        """The SHA-256 of the sidecar, in hex."""
        return hashlib.sha256(self.origins).hexdigest()

    def write(self, bundle: Path) -> None:
        """Write the sidecar beside the bundle that is to be written; raises ``UsageError`` where that cannot be."""
        place = origins_path(bundle)
        make_attestation_directory(place.parent)
        try:
            write_atomically(place, self.origins)
        except OSError as error:
            raise UsageError(f"cannot write {place}: {(error.strerror or str(error)).lower()}") from error


class _Read(NamedTuple):
    subject: Subject
    leaves: bytes
    records: RecordsRead | None


def origins_path(bundle: Path) -> Path:
    """Return where the origins of the records lie that a bundle speaks of."""
    return bundle.with_name(bundle.name.removesuffix(_BUNDLE_SUFFIX) + ORIGINS_SUFFIX)


def record_format_of(path: Path) -> CutFormat | None:
    """Tell by names which format the records of a file or a directory have; None where each file is a record."""
    names = [entry.name for entry in list_artifact(path).files]
    found = [form for form in CUT_FORMATS if any(holds_records(form, name) for name in names)]
    return found[0] if len(found) == 1 else None


def curate(output: Path, inputs: Sequence[Path], *, progress: Progress | None = None) -> Curated:
    """Digest output and inputs and match their records.

    Where the output cannot be cut into records without doubt, only digests are taken; an input that cannot is
    matched with nothing.
    """
    form = record_format_of(output)
    ours = _read(output, form, progress)
    if ours.records is None:
        others = tuple(subject_of(each, progress=progress) for each in inputs)
        return Curated(ours.subject, others, {})
    read = [_read(each, form, progress) for each in inputs]
    origins = match_records(ours.leaves, [each.leaves for each in read])
    return Curated(
        ours.subject,
        tuple(each.subject for each in read),
        _counts(form, ours.records, origins),
        origins.to_bytes(),
    )


def _read(path: Path, form: CutFormat | None, progress: Progress | None) -> _Read:
    leaves = bytearray()
    try:
        records = read_records(path, form, keep=leaves.extend, progress=progress)
    except Malformed:
        return _Read(subject_of(path, progress=progress), b"", None)
    name = artifact_name(path)
    if records.single:
        return _Read(file_subject(name, records.resources[0].digest), bytes(leaves), records)
    return _Read(artifact_subject(name, records.resources), bytes(leaves), records)


def _counts(form: CutFormat | None, records: RecordsRead, origins: Origins) -> dict[str, Any]:
    """What the statement says: the tree over the output's records, and how many came from where."""
    named: RecordFormat = form or "files"
    told: dict[str, Any] = {
        "format": named,
        "leafRule": LEAF_RULES[named],
        "treeAlgorithm": TREE_ALGORITHM,
        "count": records.count,
        "merkleRoot": records.root.hex(),
        "header": records.header,
        "schemaDigest": records.schema_digest,
        "unchanged": sum(origins.unchanged),
        "edited": sum(origins.edited),
        "unknown": origins.unknown,
        "inputs": [
            {"unchanged": unchanged, "edited": edited}
            for unchanged, edited in zip(origins.unchanged, origins.edited, strict=True)
        ],
        "editedRecords": list(origins.edited_records),
        "unknownRecords": list(origins.unknown_records),
    }
    return {name: value for name, value in told.items() if value is not None}
