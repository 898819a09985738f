"""In-toto statements, version 1: what is claimed (the predicate) about which artifacts (the subjects).

Source: https://github.com/in-toto/attestation, spec/v1/statement.md and resource_descriptor.md.
"""

from __future__ import annotations

from typing import Any

import msgspec

from provenance.attestations.strict_json import convert, decode_tree
from provenance.attestations.types import STATEMENT_TYPE
from provenance.errors import Malformed

__all__ = ["Statement", "Subject", "encode_statement", "parse_statement"]


class Subject(msgspec.Struct, frozen=True, omit_defaults=True):
    """An artifact by its digests (algorithm to lowercase hex); the name tells people which one is meant."""

    name: str = ""
    digest: dict[str, str] = {}
    annotations: dict[str, Any] | None = None


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """A statement: ``predicate`` is the JSON object that ``predicate_type`` (a URI) gives its meaning."""

    type: str = msgspec.field(name="_type", default=STATEMENT_TYPE)
    subject: tuple[Subject, ...]
    predicate_type: str = msgspec.field(name="predicateType")
    predicate: dict[str, Any] | None = None


def parse_statement(payload: bytes) -> Statement:
    """Read a statement from the payload of an envelope.

    Raises ``Malformed`` (SIG008) for JSON that ``strict_json.decode`` refuses, another ``_type``, no subject, or
    a subject without digests. Members that are not known are ignored, as in-toto demands.
    """
    tree = decode_tree(payload, what="the statement")
    kind = tree.get("_type") if isinstance(tree, dict) else None
    if kind != STATEMENT_TYPE:
        raise Malformed(f"the payload is not an in-toto statement v1 but {str(kind)[:80]!r}", code="SIG008")
    statement = convert(tree, Statement, what="the statement")
    if not statement.subject or not all(subject.digest for subject in statement.subject):
        raise Malformed("the statement has no subject with a digest", code="SIG008")
    return statement


def encode_statement(statement: Statement) -> bytes:
    """Write a statement as compact JSON in UTF-8, its members in the order of the specification."""
    return msgspec.json.encode(statement)
