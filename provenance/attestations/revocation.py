"""The predicate ``revocation/v1``: the withdrawal of a key, an artifact or a statement.

The one subject is what is withdrawn: a key by the SHA-256 of its DER SubjectPublicKeyInfo (the hex of its
fingerprint), an artifact by its OMS root digest, a statement by the SHA-256 of its payload. The JSON Schema is
``schemas/revocation-v1.schema.json``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from provenance.attestations.fields import (
    ContributorId,
    Sentence,
    Sha256,
    Time,
    checked,
    predicate_of,
    predicate_tree,
)
from provenance.attestations.statement import Statement, Subject
from provenance.attestations.types import REVOCATION_PREDICATE_TYPE

__all__ = ["Revocation", "RevokedKind", "read_revocation", "revocation_statement", "revoked_key"]

RevokedKind = Literal["key", "artifact", "statement"]


class Revocation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """What is withdrawn, why, and from when on: whatever a trusted time places before that moment stands.

    ``contributor`` is whose it was; ``supersedes`` is the payload's SHA-256 of an earlier revocation that this one
    replaces.
    """

    revokes: RevokedKind
    reason: Sentence
    effective_from: Time
    created_at: Time
    contributor: ContributorId | None = None
    supersedes: Sha256 | None = None

    def effective(self, at: datetime) -> bool:
        """Tell whether the withdrawal has taken effect at this moment."""
        return at >= self.effective_from


def revocation_statement(subject: Subject, revocation: Revocation) -> Statement:
    """Make the statement to sign; raises ``UsageError`` where a member is beyond its bounds."""
    return Statement(
        subject=(subject,),
        predicate_type=REVOCATION_PREDICATE_TYPE,
        predicate=predicate_tree(checked(revocation)),
    )


def read_revocation(statement: Statement) -> Revocation:
    """Read the predicate of a revocation; raises ``Malformed`` (SIG008)."""
    return predicate_of(statement, REVOCATION_PREDICATE_TYPE, Revocation)


def revoked_key(fingerprint: str, name: str = "key") -> Subject:
    """Make the subject that stands for a key, from its fingerprint (``SHA256:`` and hex)."""
    return Subject(name=name, digest={"sha256": fingerprint.removeprefix("SHA256:").lower()})
