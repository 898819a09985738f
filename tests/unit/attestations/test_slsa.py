"""SLSA provenance: written with plain fields, read strictly and within bounds."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from provenance.attestations.slsa import (
    DERIVATION_KINDS,
    ResourceDescriptor,
    derivation,
    derivation_kind,
    input_descriptor,
    provenance_statement,
    read_provenance,
    role_of,
)
from provenance.attestations.statement import Subject, encode_statement, parse_statement
from provenance.errors import Malformed, UsageError

MODEL = Subject(name="model", digest={"sha256": "1" * 64}, annotations={"dirHash": "2" * 64})
DATA = Subject(
    name="data.jsonl", digest={"sha256": "3" * 64}, annotations={"fileSha256": "4" * 64, "dirHash": "5" * 64}
)
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def trained(kind="train", **changes):
    options = {
        "inputs": [input_descriptor(DATA, "dataset")],
        "parameters": {"epochs": 3},
        "internal": {"python": "3.11"},
        "byproducts": [ResourceDescriptor(name="log.txt", digest={"sha256": "6" * 64})],
        "versions": {"ml-provenance": "0.1.0"},
        "finished": NOON,
    }
    return derivation(kind, **{**options, **changes})


def again(statement):
    return parse_statement(encode_statement(statement))


@pytest.mark.parametrize("kind", DERIVATION_KINDS)
def test_a_derivation_is_written_and_read_again(kind):
    found = read_provenance(again(provenance_statement([MODEL], trained(kind))))
    assert found == trained(kind)
    assert derivation_kind(found) == kind


def test_the_members_are_those_of_slsa():
    tree = again(provenance_statement([MODEL], trained())).predicate
    assert tree == {
        "buildDefinition": {
            "buildType": "https://ml-provenance.readthedocs.io/build-types/train/v1",
            "externalParameters": {"epochs": 3},
            "internalParameters": {"python": "3.11"},
            "resolvedDependencies": [
                {
                    "name": "data.jsonl",
                    "digest": {"sha256": "3" * 64},
                    "annotations": {"role": "dataset", "fileSha256": "4" * 64, "dirHash": "5" * 64},
                }
            ],
        },
        "runDetails": {
            "builder": {
                "id": "https://ml-provenance.readthedocs.io/builder/v1",
                "version": {"ml-provenance": "0.1.0"},
            },
            "metadata": {"finishedOn": "2026-11-24T12:00:00Z"},
            "byproducts": [{"name": "log.txt", "digest": {"sha256": "6" * 64}}],
        },
    }


def test_several_outputs_may_be_made_at_once():
    assert len(again(provenance_statement([MODEL, DATA], trained())).subject) == 2


def test_a_build_type_of_others_may_have_inputs_without_digest_or_role():
    statement = provenance_statement(
        [MODEL], trained(inputs=[ResourceDescriptor(uri="git+https://x.example")])
    )
    with pytest.raises(Malformed, match="lacks its SHA-256 or its role"):
        read_provenance(statement)
    statement.predicate["buildDefinition"]["buildType"] = "https://example.org/build/v1"
    found = read_provenance(statement)
    assert derivation_kind(found) is None
    assert role_of(found.build_definition.resolved_dependencies[0]) == ""


def wrong(path, value):
    statement = provenance_statement([MODEL], trained())
    *path, last = path
    tree = statement.predicate
    for key in path:
        tree = tree[key]
    tree[last] = value
    return statement


BUILD = "buildDefinition"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((BUILD,), None),
        (("runDetails",), {}),
        ((BUILD, "buildType"), 7),
        ((BUILD, "buildType"), "x" * 5000),
        ((BUILD, "externalParameters"), []),
        ((BUILD, "externalParameters"), {str(number): 0 for number in range(10_001)}),
        ((BUILD, "resolvedDependencies"), {}),
        ((BUILD, "resolvedDependencies", 0, "digest"), {"sha256": "A" * 64}),
        ((BUILD, "resolvedDependencies", 0, "digest"), {"sha256": "3" * 63}),
        ((BUILD, "resolvedDependencies", 0, "digest"), {"sha256": 3}),
        ((BUILD, "resolvedDependencies", 0, "digest"), {"../sha256": "3" * 64}),
        ((BUILD, "resolvedDependencies", 0, "annotations"), {"role": 7}),
        (("runDetails", "metadata", "finishedOn"), "yesterday"),
    ],
)
def test_what_does_not_fit_is_malformed(path, value):
    with pytest.raises(Malformed) as raised:
        read_provenance(wrong(path, value))
    assert raised.value.code == "SIG008"


def test_another_statement_is_malformed():
    statement = msgspec.structs.replace(
        provenance_statement([MODEL], trained()), predicate_type="https://x.example"
    )
    with pytest.raises(Malformed):
        read_provenance(statement)


def test_what_is_beyond_its_bounds_is_not_signed():
    with pytest.raises(UsageError):
        provenance_statement([MODEL], trained(inputs=[ResourceDescriptor(name="x" * 5000)]))


def test_unknown_members_are_ignored():
    statement = provenance_statement([MODEL], trained())
    statement.predicate["colour"] = [[1]]
    assert read_provenance(statement) == trained()
