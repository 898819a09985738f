"""In-toto statements."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.attestations.statement import Statement, Subject, encode_statement, parse_statement
from provenance.errors import Malformed

GOOD = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [{"name": "model", "digest": {"sha256": "00"}}],
    "predicateType": "https://example.com/x",
    "predicate": {"a": [1, {"b": None}]},
}


def encoded(**changes):
    return json.dumps({**GOOD, **changes}).encode()


def test_a_statement_is_read():
    statement = parse_statement(encoded())
    assert statement.subject == (Subject(name="model", digest={"sha256": "00"}),)
    assert statement.predicate_type == "https://example.com/x"
    assert statement.predicate == {"a": [1, {"b": None}]}


def test_it_is_written_compactly_in_the_order_of_the_specification():
    written = encode_statement(parse_statement(encoded()))
    assert written == json.dumps(GOOD, separators=(",", ":")).encode()


names = st.text(min_size=1)


@given(st.lists(st.tuples(names, st.dictionaries(names, names, min_size=1)), min_size=1), names)
def test_what_is_written_is_read(subjects, kind):
    statement = Statement(
        subject=tuple(Subject(name, digest) for name, digest in subjects),
        predicate_type=kind,
        predicate={"x": 1},
    )
    assert parse_statement(encode_statement(statement)) == statement


def test_members_that_are_not_known_are_ignored():
    subject = {"name": "m", "digest": {"sha256": "00"}, "uri": "x", "annotations": {"k": 1}, "mediaType": "y"}
    statement = parse_statement(encoded(subject=[subject], other=1))
    assert statement.subject == (Subject("m", {"sha256": "00"}, {"k": 1}),)


def test_a_predicate_is_optional():
    content = {key: value for key, value in GOOD.items() if key != "predicate"}
    assert parse_statement(json.dumps(content).encode()).predicate is None


@pytest.mark.parametrize(
    "changes",
    [
        {"_type": "https://in-toto.io/Statement/v0.1"},
        {"_type": None},
        {"subject": []},
        {"subject": [{"name": "x"}]},
        {"subject": [{"name": "x", "digest": {}}]},
        {"subject": [{"name": "x", "digest": {"sha256": 1}}]},
        {"subject": {"name": "x"}},
        {"predicateType": None},
        {"predicate": []},
        {"predicate": "x"},
    ],
)
def test_a_broken_statement_is_malformed(changes):
    with pytest.raises(Malformed) as caught:
        parse_statement(encoded(**changes))
    assert caught.value.code == "SIG008"


@pytest.mark.parametrize("member", ["_type", "subject", "predicateType"])
def test_a_missing_member_is_malformed(member):
    content = {key: value for key, value in GOOD.items() if key != member}
    with pytest.raises(Malformed):
        parse_statement(json.dumps(content).encode())


@pytest.mark.parametrize("payload", [b"[]", b"1", b'"x"', b"null", b"{}"])
def test_what_is_no_object_is_malformed(payload):
    with pytest.raises(Malformed, match="not an in-toto statement"):
        parse_statement(payload)


def test_messages_show_no_more_than_a_little_of_what_a_stranger_wrote():
    with pytest.raises(Malformed) as caught:
        parse_statement(encoded(_type="\x1b[31m" + "x" * 10_000))
    assert len(caught.value.message) < 300
    assert "\x1b" not in caught.value.message
