"""The predicates of ours: read strictly, written so that the shipped JSON Schemas accept them, and bounded."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from importlib.resources import files

import jsonschema
import msgspec
import pytest

from provenance.attestations.contribution import (
    Base,
    Contribution,
    Records,
    Update,
    contribution_statement,
    read_contribution,
)
from provenance.attestations.revocation import (
    Revocation,
    read_revocation,
    revocation_statement,
    revoked_key,
)
from provenance.attestations.statement import Subject, encode_statement, parse_statement
from provenance.attestations.types import build_type
from provenance.errors import Malformed, UsageError

SUBJECT = Subject(name="batch.jsonl", digest={"sha256": "0" * 64})
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
RECORDS = Records(
    format="jsonl", leaf_rule="jsonl-raw/1", tree_algorithm="rfc6962-sha256", count=3, merkle_root="a" * 64
)
BATCH = Contribution(
    contributor="alice",
    kind="records",
    created_at=NOW,
    records=RECORDS,
    licence="CC-BY-4.0 OR (MIT AND Apache-2.0)",
    consent="DPA-2026-17",
    collected_from=date(2026, 1, 1),
    collected_until=date(2026, 1, 31),
    generation="typed by people",
)
UPDATE = Contribution(
    contributor="bob@example.org",
    kind="update",
    created_at=NOW,
    update=Update(task="digits", round=12, base=Base("b" * 64), form="delta", claimed_weight=0.5),
)
WITHDRAWAL = Revocation(
    revokes="key",
    reason="the laptop was stolen",
    effective_from=NOW,
    created_at=NOW,
    contributor="alice",
    supersedes="c" * 64,
)


def schema(name):
    path = files("provenance.attestations") / "schemas" / f"{name}-v1.schema.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)


def again(statement):
    return parse_statement(encode_statement(statement))


@pytest.mark.parametrize("contribution", [BATCH, UPDATE])
def test_a_contribution_is_written_as_the_schema_says_and_read_again(contribution):
    statement = again(contribution_statement(SUBJECT, contribution))
    assert statement.predicate_type.endswith("/predicates/contribution/v1")
    schema("contribution").validate(statement.predicate)
    assert read_contribution(statement) == contribution


def test_members_have_the_names_of_the_contract():
    tree = contribution_statement(SUBJECT, BATCH).predicate
    assert tree == {
        "contributor": "alice",
        "kind": "records",
        "createdAt": "2026-11-24T12:00:00Z",
        "records": {
            "format": "jsonl",
            "leafRule": "jsonl-raw/1",
            "treeAlgorithm": "rfc6962-sha256",
            "count": 3,
            "merkleRoot": "a" * 64,
        },
        "licence": "CC-BY-4.0 OR (MIT AND Apache-2.0)",
        "consent": "DPA-2026-17",
        "collectedFrom": "2026-01-01",
        "collectedUntil": "2026-01-31",
        "generation": "typed by people",
    }
    assert contribution_statement(SUBJECT, UPDATE).predicate["update"] == {
        "task": "digits",
        "round": 12,
        "base": {"sha256": "b" * 64},
        "form": "delta",
        "claimedWeight": 0.5,
    }


def test_a_revocation_is_written_as_the_schema_says_and_read_again():
    statement = again(revocation_statement(revoked_key("SHA256:" + "D" * 64), WITHDRAWAL))
    assert statement.subject[0].digest == {"sha256": "d" * 64}
    schema("revocation").validate(statement.predicate)
    found = read_revocation(statement)
    assert found == WITHDRAWAL
    assert found.effective(NOW)
    assert not found.effective(datetime(2026, 11, 24, 11, 59, tzinfo=UTC))


WRONG = {
    "contributor": ["", "a" * 65, "../alice", "al ice", "alice\n", "-alice", "älice", 7, None],
    "kind": ["batch", "Records"],
    "createdAt": ["yesterday", "2026-11-24T12:00:00", 5],
    "licence": ["", "MIT;rm", "MIT\n"],
    "consent": ["", "x" * 1001],
    "collectedFrom": ["2026-13-01", "2026-02-01T00:00:00Z"],
    "records": [
        None,
        {},
        {**msgspec.to_builtins(RECORDS), "count": -1},
        {**msgspec.to_builtins(RECORDS), "count": 2**41},
        {**msgspec.to_builtins(RECORDS), "count": True},
        {**msgspec.to_builtins(RECORDS), "merkleRoot": "A" * 64},
        {**msgspec.to_builtins(RECORDS), "merkleRoot": "a" * 64 + "\n"},
        {**msgspec.to_builtins(RECORDS), "format": "xml"},
        {**msgspec.to_builtins(RECORDS), "leafRule": "csv-raw/1"},
        {**msgspec.to_builtins(RECORDS), "header": "a,b"},
        {**msgspec.to_builtins(RECORDS), "format": "csv", "leafRule": "csv-raw/1"},
        {**msgspec.to_builtins(RECORDS), "format": "parquet", "leafRule": "parquet-row/1"},
    ],
    "update": [contribution_statement(SUBJECT, UPDATE).predicate["update"]],
    "collectedUntil": ["2025-12-31"],
}


@pytest.mark.parametrize(
    ("member", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_what_does_not_fit_is_malformed(member, value):
    tree = {**contribution_statement(SUBJECT, BATCH).predicate, member: value}
    statement = msgspec.structs.replace(contribution_statement(SUBJECT, BATCH), predicate=tree)
    if (member, value) == ("records", None):
        tree.pop("records")
    with pytest.raises(Malformed) as raised:
        read_contribution(statement)
    assert raised.value.code == "SIG008"


def test_unknown_members_are_ignored_as_in_toto_demands():
    tree = {**contribution_statement(SUBJECT, BATCH).predicate, "colour": {"deep": [1]}}
    statement = msgspec.structs.replace(contribution_statement(SUBJECT, BATCH), predicate=tree)
    assert read_contribution(statement) == BATCH


@pytest.mark.parametrize("subjects", [(SUBJECT, SUBJECT), (Subject(name="x", digest={"sha512": "0" * 128}),)])
def test_one_subject_with_a_sha256_is_asked_for(subjects):
    statement = msgspec.structs.replace(contribution_statement(SUBJECT, BATCH), subject=subjects)
    with pytest.raises(Malformed):
        read_contribution(statement)


def test_one_kind_of_statement_is_not_taken_for_another():
    with pytest.raises(Malformed, match="revocation/v1"):
        read_revocation(contribution_statement(SUBJECT, BATCH))
    with pytest.raises(Malformed, match="contribution/v1"):
        read_contribution(revocation_statement(SUBJECT, WITHDRAWAL))


def test_nothing_beyond_its_bounds_is_signed():
    with pytest.raises(UsageError):
        contribution_statement(SUBJECT, msgspec.structs.replace(BATCH, contributor="../x"))
    with pytest.raises(UsageError):
        revocation_statement(SUBJECT, msgspec.structs.replace(WITHDRAWAL, reason=""))


def test_build_types_are_written_once():
    assert build_type("fine-tune") == "https://ml-provenance.readthedocs.io/build-types/fine-tune/v1"
