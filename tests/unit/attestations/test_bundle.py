"""Sigstore bundles: one envelope, one signature, one kind of material, and nothing else."""

import base64
import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.attestations.bundle import (
    Bundle,
    CertificateChain,
    KeyMaterial,
    SigstoreMaterial,
    encode_bundle,
    parse_bundle,
)
from provenance.errors import Malformed

V3 = "application/vnd.dev.sigstore.bundle.v0.3+json"
OLD = "application/vnd.dev.sigstore.bundle+json;version="


def b64(data):
    return base64.b64encode(data).decode()


def wire(material=None, media_type=V3):
    return {
        "mediaType": media_type,
        "verificationMaterial": material or {"publicKey": {"hint": "ab"}},
        "dsseEnvelope": {
            "payload": b64(b"{}"),
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [{"sig": b64(b"sig"), "keyid": ""}],
        },
    }


def parsed(tree):
    return parse_bundle(json.dumps(tree).encode())


def refused(tree, match="."):
    with pytest.raises(Malformed, match=match) as caught:
        parsed(tree)
    assert caught.value.code == "SIG008"


CHAIN = {"x509CertificateChain": {"certificates": [{"rawBytes": b64(b"leaf")}, {"rawBytes": b64(b"ca")}]}}
KEYLESS = {"certificate": {"rawBytes": b64(b"leaf")}, "tlogEntries": [{"logIndex": "1"}]}


def test_a_key_bundle_is_read():
    bundle = parsed(wire())
    assert bundle.material == KeyMaterial("ab")
    assert (bundle.payload, bundle.signature, bundle.media_type) == (b"{}", b"sig", V3)


@pytest.mark.parametrize(
    "extra", [{}, {"tlogEntries": []}, {"tlogEntries": None}, {"timestampVerificationData": {}}]
)
def test_log_entries_may_be_absent_or_empty_without_sigstore(extra):
    assert parsed(wire({"publicKey": {"hint": "ab"}, **extra})).material == KeyMaterial("ab")
    assert parsed(wire({**CHAIN, **extra})).material == CertificateChain((b"leaf", b"ca"))


def test_a_whole_key_in_an_old_bundle_is_kept_as_bytes():
    material = {"publicKey": {"rawBytes": b64(b"-----BEGIN"), "keyDetails": "PKIX_ECDSA_P384_SHA_384"}}
    assert parsed(wire(material)).material == KeyMaterial("", b"-----BEGIN")


def test_a_sigstore_bundle_is_read_and_keeps_its_bytes():
    data = json.dumps(wire(KEYLESS), indent=3).encode()
    bundle = parse_bundle(data)
    assert bundle.material == SigstoreMaterial(b"leaf")
    assert encode_bundle(bundle) == data


@pytest.mark.parametrize("version", ["0.1", "0.2"])
def test_before_version_0_3_a_sigstore_certificate_came_in_a_chain(version):
    logged = {**CHAIN, "tlogEntries": [{"logIndex": "1"}]}
    assert parsed(wire(logged, OLD + version)).material == SigstoreMaterial(b"leaf")
    assert parsed(wire(CHAIN, OLD + version)).material == CertificateChain((b"leaf", b"ca"))


def test_since_version_0_3_a_chain_is_a_private_one():
    logged = {**CHAIN, "tlogEntries": [{"logIndex": "1"}]}
    for media_type in (V3, OLD + "0.3"):
        assert parsed(wire(logged, media_type)).material == CertificateChain((b"leaf", b"ca"))


@pytest.mark.parametrize(
    "media_type", ["", "application/json", V3 + " ", V3.upper(), OLD + "0.4", OLD + "0.03", None]
)
def test_another_media_type_is_malformed(media_type):
    refused(wire(media_type=media_type))


@pytest.mark.parametrize("count", [0, 2, 3])
def test_there_is_exactly_one_signature(count):
    tree = wire()
    tree["dsseEnvelope"]["signatures"] *= count
    refused(tree, match=f"{count} signatures")


@pytest.mark.parametrize(
    "material",
    [
        {},
        {"tlogEntries": []},
        {"publicKey": {"hint": "ab"}, **CHAIN},
        {"publicKey": {"hint": "ab"}, **KEYLESS},
        {**CHAIN, **KEYLESS},
        {"publicKey": None},
        {"publicKey": {}},
        {"publicKey": {"hint": 5}},
        {"publicKey": {"rawBytes": "*"}},
        {"x509CertificateChain": {"certificates": []}},
        {"x509CertificateChain": {"certificates": [{"rawBytes": b64(b"x")}] * 17}},
        {"x509CertificateChain": {"certificates": [{}]}},
        {"x509CertificateChain": {"certificates": [{"rawBytes": ""}]}},
        {"x509CertificateChain": {"certificates": [{"rawBytes": b64(b"x" * 70_000)}]}},
        {"certificate": {"rawBytes": b64(b"leaf")}},
        {"certificate": {"rawBytes": b64(b"leaf")}, "tlogEntries": []},
        {"certificate": {"rawBytes": b64(b"leaf")}, "tlogEntries": ["x"]},
    ],
)
def test_there_is_exactly_one_kind_of_material_and_it_is_whole(material):
    tree = wire()
    tree["verificationMaterial"] = material
    refused(tree)


@pytest.mark.parametrize(
    "kind", ["application/json", "application/vnd.in-toto+json ", "", "APPLICATION/VND.IN-TOTO+JSON"]
)
def test_another_payload_type_is_malformed(kind):
    tree = wire()
    tree["dsseEnvelope"]["payloadType"] = kind
    refused(tree)


@pytest.mark.parametrize("member", ["mediaType", "verificationMaterial", "dsseEnvelope"])
def test_a_missing_member_is_malformed(member):
    tree = wire()
    del tree[member]
    refused(tree)


@pytest.mark.parametrize("extra", [{"messageSignature": {}}, {"signature": ""}, {"mediatype": V3}])
def test_no_other_content_may_stand_beside_the_envelope(extra):
    refused({**wire(), **extra})


@pytest.mark.parametrize("member", ["payload", "signatures", "keyid"])
def test_a_member_given_twice_is_malformed(member):
    text = json.dumps(wire()).replace(f'"{member}"', f'"{member}": "", "{member}"')
    with pytest.raises(Malformed, match="occurs twice"):
        parse_bundle(text.encode())


def test_a_signature_of_absurd_length_is_malformed():
    tree = wire()
    tree["dsseEnvelope"]["signatures"][0]["sig"] = b64(b"x" * 20_000)
    refused(tree, match="more than 16,384 bytes")


def test_a_huge_log_entry_is_malformed_before_it_is_built():
    refused(wire({**KEYLESS, "tlogEntries": [{}] * 60_000}), match="elements")


bodies = st.binary(min_size=1, max_size=300)
materials = st.builds(KeyMaterial, st.text(max_size=64)) | st.builds(
    CertificateChain, st.lists(bodies, min_size=1, max_size=16).map(tuple)
)


@given(materials, bodies, bodies)
def test_what_is_written_is_read(material, payload, signature):
    bundle = Bundle(material=material, payload=payload, signature=signature)
    data = encode_bundle(bundle)
    read = parse_bundle(data)
    assert read.raw == data
    assert (read.material, read.payload, read.signature) == (material, payload, signature)


def mutations(tree, path=()):
    """Every place in a JSON tree."""
    yield path
    if isinstance(tree, dict | list):
        for key in tree if isinstance(tree, dict) else range(len(tree)):
            yield from mutations(tree[key], (*path, key))


PLACES = list(mutations(wire(KEYLESS)))


@given(st.sampled_from(PLACES), st.sampled_from([None, True, 0, -1, "", "x", [], {}, [[]], {"": ""}, 1e300]))
def test_any_value_replaced_is_malformed_or_harmless(place, value):
    tree = copy.deepcopy(wire(KEYLESS))
    if not place:
        tree = value
    else:
        inner = tree
        for key in place[:-1]:
            inner = inner[key]
        inner[place[-1]] = value
    try:
        bundle = parsed(tree)
    except Malformed:
        return
    # What may be replaced is not the signed part; Sigstore's verifier judges the rest.
    assert (bundle.payload, bundle.signature) == (b"{}", b"sig")


@given(st.binary(max_size=400))
def test_garbage_is_malformed(data):
    with pytest.raises(Malformed):
        parse_bundle(data)


@given(st.sampled_from(["payload", "sig"]), st.integers(0, 10_000), st.integers(0, 7))
def test_a_bit_flipped_in_base64_is_malformed_or_changes_the_bytes(member, position, bit):
    tree = wire()
    tree["dsseEnvelope"]["payload"] = b64(b"some payload")
    text = json.dumps(tree).encode()
    start = text.index(f'"{member}": "'.encode()) + len(member) + 5
    data = bytearray(text)
    data[start + position % (text.index(b'"', start) - start)] ^= 1 << bit
    try:
        bundle = parse_bundle(bytes(data))
    except Malformed:
        return
    same = parse_bundle(text)
    assert (bundle.payload, bundle.signature) != (same.payload, same.signature)
