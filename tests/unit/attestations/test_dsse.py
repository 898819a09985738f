"""DSSE envelopes: the encoding that is signed, and base64 that has one spelling only."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.attestations.dsse import (
    Envelope,
    Signature,
    decode_base64,
    encode_envelope,
    pae,
    pae_compat,
    parse_envelope,
)
from provenance.errors import Malformed


def test_the_encoding_is_the_example_of_the_specification():
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_lengths_count_bytes():
    assert pae("é", "ü".encode()) == b"DSSEv1 2 \xc3\xa9 2 \xc3\xbc"
    assert pae("", b"") == b"DSSEv1 0  0 "


@given(st.text(), st.binary(), st.text(), st.binary())
def test_no_two_inputs_share_an_encoding(kind, body, other_kind, other_body):
    same = (kind, body) == (other_kind, other_body)
    assert (pae(kind, body) == pae(other_kind, other_body)) is same


def test_the_historical_encoding_writes_the_payload_as_python_does():
    assert pae_compat("t", b'{"a": 1}\n') == b"DSSEV1 1 t 9 b'{\"a\": 1}\\n'"
    assert pae_compat("t", b"'") == b'DSSEV1 1 t 1 b"\'"'


@given(st.binary(min_size=1), st.binary(min_size=1, max_size=99), st.text())
def test_an_envelope_is_read_as_it_was_written(payload, sig, keyid):
    envelope = Envelope(
        payload=payload, payload_type="t", signatures=(Signature(sig, keyid), Signature(b"2"))
    )
    assert parse_envelope(encode_envelope(envelope)) == envelope


@pytest.mark.parametrize("keyid", [{}, {"keyid": ""}, {"keyid": None}])
def test_a_key_id_may_be_absent_empty_or_null(keyid):
    wire = {"payload": "YQ==", "payloadType": "t", "signatures": [{"sig": "Yg==", **keyid}]}
    assert parse_envelope(json.dumps(wire).encode()).signatures == (Signature(b"b", ""),)


@pytest.mark.parametrize(
    "wire",
    [
        {"payloadType": "t", "signatures": [{"sig": "Yg=="}]},
        {"payload": "YQ==", "signatures": [{"sig": "Yg=="}]},
        {"payload": "YQ==", "payloadType": "t"},
        {"payload": "YQ==", "payloadType": "t", "signatures": [{"keyid": ""}]},
        {"payload": "YQ==", "payloadType": "t", "signatures": [{"sig": ""}]},
        {"payload": "", "payloadType": "t", "signatures": [{"sig": "Yg=="}]},
        {"payload": "YQ==", "payloadType": "t", "signatures": [{"sig": "Yg==", "cert": "x"}]},
        {"payload": "YQ==", "payloadType": "t", "signatures": [], "more": 1},
        {"payload": "YQ==", "payloadType": "t", "signatures": [{"sig": "Yg==", "keyid": 1}]},
    ],
)
def test_a_broken_envelope_is_malformed(wire):
    with pytest.raises(Malformed) as caught:
        parse_envelope(json.dumps(wire).encode())
    assert caught.value.code == "SIG008"


@given(st.binary(min_size=1, max_size=50))
def test_canonical_base64_is_read(data):
    assert decode_base64(base64.b64encode(data).decode(), "x", max_bytes=50) == data


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Y",
        "YQ",
        "YQ=",
        "YQ===",
        "YR==",
        "YWJ=",
        "YWK=",
        "Y Q==",
        "YQ==\n",
        "\nYQ==",
        "_-_-",
        "YQ==YQ==",
        "=",
        "====",
        "YWJj=",
        "ä===",
        "YQ\0=",
    ],
)
def test_any_other_spelling_is_malformed(text):
    with pytest.raises(Malformed, match="not canonical"):
        decode_base64(text, "x", max_bytes=50)


@given(st.text(alphabet="AQYZaz09+/=_- \n", max_size=24))
def test_what_is_accepted_is_what_encoding_would_have_written(text):
    try:
        value = decode_base64(text, "x", max_bytes=50)
    except Malformed:
        return
    assert base64.b64encode(value).decode() == text


def test_the_size_is_bounded_before_decoding():
    with pytest.raises(Malformed, match="more than 30 bytes"):
        decode_base64("A" * 48, "x", max_bytes=30)
