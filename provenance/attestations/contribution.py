"""The predicate ``contribution/v1``: what a contributor gave, a batch of records or an update of a model.

Its JSON Schema is ``schemas/contribution-v1.schema.json``. Names of members are those of the JSON in camel case.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal

import msgspec

from provenance.attestations.fields import (
    ContributorId,
    Licence,
    Sentence,
    Sha256,
    TaskName,
    Time,
    checked,
    predicate_of,
    predicate_tree,
)
from provenance.attestations.statement import Statement, Subject
from provenance.attestations.types import CONTRIBUTION_PREDICATE_TYPE
from provenance.errors import Malformed

__all__ = [
    "LEAF_RULES",
    "MAX_HEADER_CHARACTERS",
    "MAX_RECORDS",
    "MAX_ROUND",
    "MAX_WEIGHT",
    "TREE_ALGORITHM",
    "Base",
    "Contribution",
    "ContributionKind",
    "RecordFormat",
    "Records",
    "Update",
    "UpdateForm",
    "contribution_statement",
    "read_contribution",
]

RecordFormat = Literal["jsonl", "csv", "parquet", "webdataset", "files"]
ContributionKind = Literal["records", "update"]
UpdateForm = Literal["weights", "delta"]

TREE_ALGORITHM: Final = "rfc6962-sha256"
LEAF_RULES: Final[dict[RecordFormat, str]] = {
    "jsonl": "jsonl-raw/1",
    "csv": "csv-raw/1",
    "parquet": "parquet-row/1",
    "webdataset": "webdataset-sample/1",
    "files": "file/1",
}
MAX_RECORDS: Final = 2**40
MAX_ROUND: Final = 2**31 - 1
MAX_WEIGHT: Final = 1e300  # neither infinite nor NaN, which JSON cannot hold
MAX_HEADER_CHARACTERS: Final = 64 * 1024


class Records(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A batch of records: how a record becomes a leaf, how many there are, and the root of their Merkle tree.

    ``header`` is the first line of a CSV file, without its end; ``schema_digest`` the SHA-256 of a Parquet schema as
    ``parquet-row/1`` writes it. Where ``salted``, each leaf holds 16 random bytes that the contributor keeps.
    """

    format: RecordFormat
    leaf_rule: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,40}/[0-9]{1,4}\Z")]
    tree_algorithm: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,40}\Z")]
    count: Annotated[int, msgspec.Meta(ge=0, le=MAX_RECORDS)]
    merkle_root: Sha256
    salted: bool = False
    header: Annotated[str, msgspec.Meta(max_length=MAX_HEADER_CHARACTERS)] | None = None
    schema_digest: Sha256 | None = None


class Base(msgspec.Struct, frozen=True):
    """The model that an update starts from, by its OMS root digest in hex."""

    sha256: Sha256


class Update(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """An update for one round of a task: whole ``weights``, or a ``delta`` to be added to the base.

    ``claimed_weight`` is what the contributor says its update weighs; it is kept and has no effect.
    """

    task: TaskName
    round: Annotated[int, msgspec.Meta(ge=0, le=MAX_ROUND)]
    base: Base
    form: UpdateForm
    claimed_weight: Annotated[float, msgspec.Meta(ge=-MAX_WEIGHT, le=MAX_WEIGHT)] | None = None


class Contribution(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """What one contributor gave; ``created_at`` is a claim of the signer and proves no time."""

    contributor: ContributorId
    kind: ContributionKind
    created_at: Time
    records: Records | None = None
    update: Update | None = None
    licence: Licence | None = None
    consent: Sentence | None = None
    collected_from: date | None = None
    collected_until: date | None = None
    generation: Sentence | None = None


def contribution_statement(subject: Subject, contribution: Contribution) -> Statement:
    """Make the statement to sign; raises ``UsageError`` where a member is beyond its bounds."""
    return Statement(
        subject=(subject,),
        predicate_type=CONTRIBUTION_PREDICATE_TYPE,
        predicate=predicate_tree(checked(contribution)),
    )


def read_contribution(statement: Statement) -> Contribution:
    """Read the predicate of a contribution.

    Raises ``Malformed`` (SIG008) for another statement, a member beyond its bounds, and members that contradict each
    other. A leaf rule or tree algorithm that is not known is left to who uses it: it can only lead to "undecided".
    """
    found = predicate_of(statement, CONTRIBUTION_PREDICATE_TYPE, Contribution)
    problem = _contradiction(found)
    if problem:
        raise Malformed(f"the contribution contradicts itself: {problem}", code="SIG008")
    return found


def _contradiction(found: Contribution) -> str:
    if (found.records is not None, found.update is not None) != (
        found.kind == "records",
        found.kind == "update",
    ):
        return f"it is of the kind {found.kind} and must have the member `{found.kind}` alone"
    if found.collected_from and found.collected_until and found.collected_from > found.collected_until:
        return "its data were collected until a day before the first"
    return _contradiction_of(found.records) if found.records is not None else ""


def _contradiction_of(records: Records) -> str:
    if records.leaf_rule.partition("/")[0] != LEAF_RULES[records.format].partition("/")[0]:
        return f"the leaf rule {records.leaf_rule} is not one for {records.format}"
    if (records.header is not None) != (records.format == "csv"):
        return "CSV records have a header, and no others"
    if (records.schema_digest is not None) != (records.format == "parquet"):
        return "Parquet records have a schema, and no others"
    return ""
