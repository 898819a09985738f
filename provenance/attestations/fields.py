"""Types of members that several predicates have, each with its bounds; what does not fit is malformed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, TypeVar

import msgspec

from provenance.attestations.statement import Statement
from provenance.attestations.strict_json import convert
from provenance.errors import Malformed, UsageError

__all__ = [
    "CONTRIBUTOR_ID_PATTERN",
    "LICENCE_PATTERN",
    "TASK_PATTERN",
    "ContributorId",
    "Licence",
    "Sentence",
    "Sha256",
    "TaskName",
    "Time",
    "checked",
    "predicate_of",
    "predicate_tree",
]

Predicate = TypeVar("Predicate", bound=msgspec.Struct)

# A plain name: it stands in messages, in tables and in file names, and two of them must never look alike.
CONTRIBUTOR_ID_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}\Z"
TASK_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z"
# An SPDX licence expression (SPDX 2.3, annex D): identifiers, AND, OR, WITH, brackets.
LICENCE_PATTERN: Final = r"^[A-Za-z0-9(][A-Za-z0-9.+:() -]{0,254}\Z"

ContributorId = Annotated[str, msgspec.Meta(pattern=CONTRIBUTOR_ID_PATTERN)]
TaskName = Annotated[str, msgspec.Meta(pattern=TASK_PATTERN)]
Licence = Annotated[str, msgspec.Meta(pattern=LICENCE_PATTERN)]
# Free text for people, or a reference into another system.
Sentence = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
Time = Annotated[datetime, msgspec.Meta(tz=True)]


def predicate_of(statement: Statement, predicate_type: str, target: type[Predicate]) -> Predicate:
    """Fit the predicate of a statement to its type; members that are not known are ignored, as in-toto demands.

    Raises ``Malformed`` (SIG008) for another type of predicate, for other than one subject with a SHA-256, and for
    what does not fit.
    """
    if statement.predicate_type != predicate_type:
        raise Malformed(
            f"the statement is no {predicate_type} but {statement.predicate_type[:200]!r}", code="SIG008"
        )
    if len(statement.subject) != 1 or "sha256" not in statement.subject[0].digest:
        raise Malformed("the statement must have exactly one subject, with a SHA-256", code="SIG008")
    return convert(statement.predicate, target, what="the predicate")


def predicate_tree(predicate: msgspec.Struct) -> dict[str, Any]:
    """Turn a predicate into the JSON object that a statement carries; times are written as RFC 3339 has them."""
    tree: dict[str, Any] = msgspec.to_builtins(predicate)
    return tree


def checked(predicate: Predicate) -> Predicate:
    """Hold a predicate that was just made against its own bounds; raises ``UsageError``."""
    try:
        return convert(predicate_tree(predicate), type(predicate), what="what is to be signed")
    except Malformed as error:
        raise UsageError(error.message) from error
