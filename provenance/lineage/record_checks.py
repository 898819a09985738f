"""Holding records against what their contributor signed: the count, the header or schema, the Merkle root."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Final

import msgspec

from policies import DecisionName, Finding, finding, outcome
from provenance.artifacts.merkle import DIGEST_SIZE, fold
from provenance.artifacts.reading import Progress
from provenance.artifacts.records.cutting import CutFormat
from provenance.artifacts.records.reading import Keep, RecordsRead, Salts, Watch, read_records
from provenance.attestations.contribution import LEAF_RULES, TREE_ALGORITHM, Contribution, Records
from provenance.attestations.statement import Subject
from provenance.attestations.subjects import artifact_name, artifact_subject, file_subject
from provenance.errors import ProvenanceError, Refused, Undecided, UsageError
from provenance.lineage.record_salts import reading_salts, salts_path

__all__ = [
    "RecordsCheck",
    "cut_format",
    "read_leaves_file",
    "read_signed_records",
    "records_of",
    "records_subject",
    "verify_records",
]

AnyPath = str | PathLike[str]
_EXIT_STATUS: Final[dict[DecisionName, int]] = {"accepted": 0, "refused": 1, "undecided": 3}


class RecordsCheck(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict over records: ``root`` (hex) and ``count`` as found, and the subject that the files make.

    Where the records could not be read, ``root`` is empty and ``subject`` None.
    """

    decision: DecisionName
    findings: tuple[Finding, ...] = ()
    root: str = ""
    count: int = 0
    subject: Subject | None = None

    @property
    def exit_status(self) -> int:
        """The command's exit status: 0 accepted, 1 refused, 3 undecided."""
        return _EXIT_STATUS[self.decision]


def records_of(contribution: Contribution) -> Records:
    """Return what a contribution says of its records.

    Raises ``UsageError`` for an update, and ``Undecided`` (CON019) for a leaf rule or a tree that is not known here.
    """
    records = contribution.records
    if records is None:
        raise UsageError("the contribution is an update and has no records")
    if records.leaf_rule != LEAF_RULES[records.format] or records.tree_algorithm != TREE_ALGORITHM:
        raise Undecided(
            f"the records are bound by {records.leaf_rule} and {records.tree_algorithm}", code="CON019"
        )
    return records


def cut_format(records: Records) -> CutFormat | None:
    """Return how files are cut into records; None where each file is one."""
    return None if records.format == "files" else records.format


def verify_records(
    path: AnyPath,
    contribution: Contribution,
    *,
    salts: AnyPath | None = None,
    subject: Subject | None = None,
    leaves: AnyPath | None = None,
    progress: Progress | None = None,
) -> RecordsCheck:
    """Cut an artifact into records again and compare count, header or schema, and Merkle root with the signed ones.

    ``contribution`` must come from a verified statement. ``salts`` is the file of salts where it is not beside the
    artifact; ``subject`` is the statement's, if the files themselves are to be held against it; ``leaves`` is the
    sidecar, with which the first record that differs can be named. Returns a verdict for whatever the files hold;
    raises ``UsageError`` for an update.
    """
    path = Path(path)
    try:
        records = records_of(contribution)
        found = read_signed_records(path, records, salts=salts, progress=progress)
    except UsageError:
        raise
    except ProvenanceError as error:
        problem = (finding(error.code, error.message, path=str(path), hint=error.hint),)
        return RecordsCheck(decision=outcome(problem), findings=problem)
    its_subject = records_subject(path, found)
    findings = tuple(_differences(path, records, found, leaves, salts))
    if subject is not None and subject.digest.get("sha256") != its_subject.digest["sha256"]:
        findings += (
            finding("SIG003", "the file is not the one that the statement is about", path=str(path)),
        )
    return RecordsCheck(
        decision=outcome(findings),
        findings=findings,
        root=found.root.hex(),
        count=found.count,
        subject=its_subject,
    )


def read_signed_records(
    path: Path,
    records: Records,
    *,
    salts: AnyPath | None = None,
    keep: Keep | None = None,
    watch: Watch | None = None,
    progress: Progress | None = None,
) -> RecordsRead:
    """Read records as a contribution says that they are cut, salted and counted; raises as ``read_records`` does."""
    with _salts(path, records, salts) as source:
        return read_records(
            path,
            cut_format(records),
            salts=source,
            keep=keep,
            watch=watch,
            most=records.count,
            progress=progress,
        )


@contextmanager
def _salts(path: Path, records: Records, salts: AnyPath | None) -> Iterator[Salts | None]:
    if not records.salted:
        yield None
        return
    with reading_salts(Path(salts) if salts is not None else salts_path(path)) as source:
        yield source


def records_subject(path: Path, found: RecordsRead) -> Subject:
    """Make the subject of the files that were read."""
    name = artifact_name(path)
    return (
        file_subject(name, found.resources[0].digest)
        if found.single
        else artifact_subject(name, found.resources)
    )


def _differences(
    path: Path, records: Records, found: RecordsRead, leaves: AnyPath | None, salts: AnyPath | None
) -> Iterator[Finding]:
    place = str(path)
    if found.header != records.header:
        yield finding("CON017", "the header is not the signed one", path=place)
    if found.schema_digest != records.schema_digest:
        yield finding("CON017", "the schema is not the signed one", path=place)
        return
    where = ""
    if found.root.hex() != records.merkle_root and leaves is not None:
        where = _first_difference(path, records, Path(leaves), salts)
    if found.count != records.count:
        message = f"there are {found.count:,} records, and {records.count:,} were signed"
        yield finding("CON015", message, path=place, where=where)
    elif found.root.hex() != records.merkle_root:
        yield finding(
            "CON014",
            "the records are not those that were signed",
            path=place,
            where=where,
            notes=(f"expected Merkle root {records.merkle_root}, found {found.root.hex()}",),
        )


def _first_difference(path: Path, records: Records, leaves: Path, salts: AnyPath | None) -> str:
    """Name the first record that differs from the signed leaves; nothing where the sidecar is not the signed one."""
    try:
        expected = read_leaves_file(leaves, records)
        actual = bytearray()
        read_signed_records(path, records, salts=salts, keep=actual.extend)
    except ProvenanceError:
        return ""
    for at in range(0, max(len(expected), len(actual)), DIGEST_SIZE):
        if expected[at : at + DIGEST_SIZE] != actual[at : at + DIGEST_SIZE]:
            return f"record {at // DIGEST_SIZE}"
    return ""


def read_leaves_file(path: Path, records: Records) -> bytes:
    """Read a sidecar of leaves, bounded by the signed count.

    Raises ``Undecided`` (ART008) where it cannot be read, ``Refused`` (CON014) where its leaves do not lead to the
    signed root.
    """
    size = records.count * DIGEST_SIZE
    try:
        with path.open("rb") as file:
            data = file.read(size + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise Undecided(f"cannot read the leaves {path}: {reason}", code="ART008") from error
    if len(data) != size or fold([data]).root.hex() != records.merkle_root:
        raise Refused(f"the leaves in {path} are not those that were signed", code="CON014")
    return data
