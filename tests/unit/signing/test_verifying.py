"""Verifying the signature of key and certificate bundles against what is trusted."""

from datetime import timedelta

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from signing_pki import NOW, authority, leaf

from provenance.attestations.bundle import Bundle, CertificateChain, KeyMaterial, encode_bundle, parse_bundle
from provenance.attestations.dsse import pae, pae_compat
from provenance.attestations.types import PAYLOAD_TYPE
from provenance.errors import Malformed
from provenance.signing.certificates import ChainError
from provenance.signing.keys import ALGORITHMS, fingerprint, generate, oms_hint
from provenance.signing.signatures import sign_bytes
from provenance.signing.trust import Trust, TrustedIdentity, TrustedKey, TrustedRoots
from provenance.signing.verifying import verify_bundle

PAYLOAD = b'{"_type": "https://in-toto.io/Statement/v1", "text": "\xc3\xa4\'"}'
KEYS = {algorithm: generate(algorithm) for algorithm in ALGORITHMS}
KEY = KEYS["ecdsa-p256"]
OTHER = generate("ecdsa-p256")


def trusted(*keys, name="release"):
    return tuple(TrustedKey(name, key.public_key(), fingerprint(key.public_key())) for key in keys)


def key_bundle(key, *, hint=None, raw=b"", payload=PAYLOAD, signed=None):
    data = pae(PAYLOAD_TYPE, payload) if signed is None else signed
    hint = oms_hint(key.public_key()) if hint is None else hint
    return Bundle(material=KeyMaterial(hint, raw), payload=payload, signature=sign_bytes(key, data))


def verified(bundle, trust):
    return verify_bundle(bundle, trust, now=NOW, where="model.sig")


def rules(bundle, trust):
    signer, findings = verified(bundle, trust)
    assert signer is None or all(found.severity != "error" for found in findings)
    assert signer is not None or any(found.severity == "error" for found in findings)
    assert all(found.path == "model.sig" for found in findings)
    return [found.rule for found in findings]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_verifies(algorithm):
    key = KEYS[algorithm]
    signer, findings = verified(key_bundle(key), Trust(trusted(key)))
    assert findings == ()
    assert (signer.name, signer.method, signer.fingerprint) == (
        "release",
        "key",
        fingerprint(key.public_key()),
    )
    assert (signer.satisfies, signer.bundle, signer.time) == (("release",), "model.sig", None)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_another_payload_does_not_verify(algorithm):
    key = KEYS[algorithm]
    bundle = msgspec.structs.replace(key_bundle(key), payload=PAYLOAD + b" ")
    assert rules(bundle, Trust(trusted(key))) == ["SIG002"]


def test_a_stranger_is_told_from_a_wrong_signature():
    assert rules(key_bundle(OTHER), Trust(trusted(KEY))) == ["SIG006"]
    forged = key_bundle(OTHER, hint=oms_hint(KEY.public_key()))
    assert rules(forged, Trust(trusted(KEY))) == ["SIG002"]


def test_without_any_trusted_key_nobody_is_accepted():
    roots = (TrustedRoots("ci", ()),)
    identities = (TrustedIdentity("ci", "a@b.c", "https://issuer"),)
    for trust in (Trust(), Trust(roots=roots), Trust(identities=identities)):
        assert rules(key_bundle(KEY), trust) == ["SIG006"]


@pytest.mark.parametrize("hint", ["", "00" * 32, "some other tool's name", oms_hint(OTHER.public_key())])
def test_a_hint_is_only_a_hint(hint):
    found = rules(key_bundle(KEY, hint=hint), Trust(trusted(OTHER, KEY)))
    assert found == ([] if hint else ["SIG010"])


def test_a_key_inside_of_the_bundle_is_never_trusted():
    from cryptography.hazmat.primitives import serialization

    pem = OTHER.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    bundle = key_bundle(OTHER, hint="", raw=pem)
    assert rules(bundle, Trust()) == ["SIG006"]
    assert rules(bundle, Trust(trusted(KEY))) == ["SIG006"]
    assert rules(bundle, Trust(trusted(KEY, OTHER))) == ["SIG010"]
    changed = msgspec.structs.replace(bundle, payload=b"{}")
    assert rules(changed, Trust(trusted(KEY, OTHER))) == ["SIG002"]


@pytest.mark.parametrize("raw", [b"junk", b"-----BEGIN PUBLIC KEY-----", b"\xff"])
def test_a_broken_key_inside_of_the_bundle_does_not_matter(raw):
    assert rules(key_bundle(KEY, hint="", raw=raw), Trust(trusted(KEY))) == ["SIG010"]


def test_a_key_counts_for_every_name_that_it_has():
    trust = Trust((*trusted(OTHER, name="a"), *trusted(KEY, name="b"), *trusted(KEY, OTHER, name="c")))
    signer, _ = verified(key_bundle(KEY), trust)
    assert (signer.name, signer.satisfies) == ("b", ("b", "c"))


@pytest.mark.parametrize("algorithm", ["ecdsa-p256", "ecdsa-p384", "ecdsa-p521"])
@pytest.mark.parametrize("sha256", [True, False])
def test_the_faulty_encoding_of_release_0_2_0_verifies_with_a_remark(algorithm, sha256):
    key, old = KEYS[algorithm], pae_compat(PAYLOAD_TYPE, PAYLOAD)
    signature = key.sign(old, ec.ECDSA(hashes.SHA256())) if sha256 else sign_bytes(key, old)
    bundle = msgspec.structs.replace(key_bundle(key), signature=signature)
    assert rules(bundle, Trust(trusted(key))) == ["SIG010"]
    other = msgspec.structs.replace(bundle, payload=PAYLOAD + b" ")
    assert rules(other, Trust(trusted(key))) == ["SIG002"]


def test_the_standard_encoding_has_one_digest_for_each_curve():
    key = KEYS["ecdsa-p384"]
    weak = key.sign(pae(PAYLOAD_TYPE, PAYLOAD), ec.ECDSA(hashes.SHA256()))
    bundle = msgspec.structs.replace(key_bundle(key), signature=weak)
    assert rules(bundle, Trust(trusted(key))) == ["SIG002"]


def test_the_payload_alone_is_not_what_is_signed():
    assert rules(key_bundle(KEY, signed=PAYLOAD), Trust(trusted(KEY))) == ["SIG002"]
    other_type = pae("application/json", PAYLOAD)
    assert rules(key_bundle(KEY, signed=other_type), Trust(trusted(KEY))) == ["SIG002"]


# Certificates.

ROOT = authority("root")
MIDDLE = authority("middle", ROOT)
SIGNER = leaf("signer", MIDDLE, key=KEYS["ecdsa-p384"])


def chain_bundle(signer=SIGNER, others=(MIDDLE,), key=None, payload=PAYLOAD):
    data = pae(PAYLOAD_TYPE, payload)
    material = CertificateChain((signer.der, *(one.der for one in others)))
    return Bundle(material=material, payload=payload, signature=sign_bytes(key or signer.key, data))


def roots(*issued, name="release"):
    return (TrustedRoots(name, tuple(one.cert for one in issued)),)


def test_a_certificate_verifies_to_a_trusted_root():
    signer, findings = verified(chain_bundle(), Trust(roots=roots(ROOT)))
    assert findings == ()
    assert (signer.name, signer.method, signer.identity, signer.issuer) == (
        "release",
        "certificate",
        "CN=signer",
        "CN=middle",
    )
    assert signer.fingerprint == fingerprint(SIGNER.key.public_key())


@pytest.mark.parametrize("algorithm", ["ed25519", "ml-dsa-65", "ecdsa-p521"])
def test_certificates_of_other_keys_verify_too(algorithm):
    one = leaf("signer", ROOT, key=KEYS[algorithm])
    assert rules(chain_bundle(one, ()), Trust(roots=roots(ROOT))) == []


def test_a_root_that_is_not_trusted_is_told():
    assert rules(chain_bundle(), Trust(roots=roots(authority("root")))) == ["SIG013"]
    assert rules(chain_bundle(), Trust(trusted(KEY))) == ["SIG006"]
    assert rules(chain_bundle(), Trust()) == ["SIG006"]


def test_an_expired_certificate_is_told():
    old = leaf("signer", ROOT, end=NOW - timedelta(days=1))
    _, findings = verified(chain_bundle(old, ()), Trust(roots=roots(ROOT)))
    assert [found.rule for found in findings] == ["SIG013"]
    assert "valid from" in findings[0].message


def test_a_signature_by_another_key_than_the_certificates_is_wrong():
    assert rules(chain_bundle(key=KEY), Trust(roots=roots(ROOT))) == ["SIG002"]
    assert rules(msgspec.structs.replace(chain_bundle(), payload=b"{}"), Trust(roots=roots(ROOT))) == [
        "SIG002"
    ]


def test_a_trusted_key_may_come_with_a_certificate():
    signer, findings = verified(chain_bundle(), Trust(trusted(SIGNER.key, name="alice")))
    assert (signer.satisfies, signer.method, findings) == (("alice",), "key", ())
    assert (signer.identity, signer.issuer) == ("", "")  # nobody vouches for the names in the certificate


def test_one_certificate_may_stand_for_several_signers():
    trust = Trust(roots=(*roots(ROOT, name="a"), *roots(authority("x"), name="b"), *roots(MIDDLE, name="c")))
    signer, _ = verified(chain_bundle(), trust)
    assert signer.satisfies == ("a", "c")


def test_the_old_encoding_with_a_certificate_used_sha256():
    old = pae_compat(PAYLOAD_TYPE, PAYLOAD)
    bundle = msgspec.structs.replace(
        chain_bundle(), signature=SIGNER.key.sign(old, ec.ECDSA(hashes.SHA256()))
    )
    assert rules(bundle, Trust(roots=roots(ROOT))) == ["SIG010"]


def test_a_key_that_cannot_be_checked_is_undecided():
    one = leaf("signer", ROOT, key=rsa.generate_private_key(65537, 2048))
    bundle = chain_bundle(one, (), key=KEY)
    assert rules(bundle, Trust(roots=roots(ROOT))) == ["SIG018"]


def test_a_key_that_only_a_stranger_vouches_for_is_refused_whatever_its_kind():
    one = leaf("signer", ROOT, key=rsa.generate_private_key(65537, 2048))
    bundle = chain_bundle(one, (), key=KEY)
    assert rules(bundle, Trust(roots=roots(authority("root")))) == ["SIG013"]
    assert rules(bundle, Trust(trusted(KEY))) == ["SIG006"]


def test_a_certificate_that_cannot_be_read_is_malformed():
    bundle = msgspec.structs.replace(chain_bundle(), material=CertificateChain((SIGNER.der, b"junk")))
    with pytest.raises(Malformed) as caught:
        verified(bundle, Trust(roots=roots(ROOT)))
    assert caught.value.code == "SIG008"


# Whoever changes one bit of what was signed is found out.

TRUST = Trust((*trusted(*KEYS.values()),), roots(ROOT))
BUNDLES = {"chain": chain_bundle(), **{name: key_bundle(key) for name, key in KEYS.items()}}


@settings(max_examples=300)
@given(st.sampled_from(sorted(BUNDLES)), st.sampled_from(["payload", "signature"]), st.data())
def test_one_flipped_bit_is_found(kind, part, data):
    bundle = BUNDLES[kind]
    content = bytearray(getattr(bundle, part))
    position = data.draw(st.integers(0, len(content) * 8 - 1))
    content[position // 8] ^= 1 << position % 8
    changed = msgspec.structs.replace(bundle, **{part: bytes(content)})
    assert rules(changed, TRUST) == ["SIG002"]


@settings(max_examples=300)
@given(st.integers(0, 1), st.data())
def test_one_flipped_bit_of_a_certificate_is_found(index, data):
    """Without trusting the signer's key itself: a bit of the name or the validity must undo the chain."""
    bundle = BUNDLES["chain"]
    certificates = list(bundle.material.certificates)
    content = bytearray(certificates[index])
    position = data.draw(st.integers(0, len(content) * 8 - 1))
    content[position // 8] ^= 1 << position % 8
    certificates[index] = bytes(content)
    changed = msgspec.structs.replace(bundle, material=CertificateChain(tuple(certificates)))
    try:
        signer, findings = verified(changed, Trust(roots=roots(ROOT)))
    except Malformed as error:
        assert error.code == "SIG008"  # noqa: PT017
        return
    assert signer is None
    assert {found.rule for found in findings} <= {"SIG002", "SIG013"}


@settings(max_examples=200)
@given(st.sampled_from([BUNDLES["ecdsa-p256"], BUNDLES["chain"]]), st.data())
def test_one_flipped_bit_of_the_file_is_found_or_is_outside_of_what_matters(bundle, data):
    content = bytearray(encode_bundle(bundle))
    position = data.draw(st.integers(0, len(content) * 8 - 1))
    content[position // 8] ^= 1 << position % 8
    try:
        read = parse_bundle(bytes(content))
        signer, _ = verified(read, TRUST)
    except Malformed:
        return
    if signer is not None:  # the hint, the key's id and the letters of ignored members prove nothing
        assert (read.payload, read.signature) == (bundle.payload, bundle.signature)


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_garbage_signatures_are_wrong(signature, payload):
    for key in KEYS.values():
        bundle = Bundle(
            material=KeyMaterial(oms_hint(key.public_key())), payload=payload, signature=signature
        )
        assert rules(bundle, TRUST) == ["SIG002"]


def test_chain_errors_stay_inside():
    assert not issubclass(ChainError, Malformed)
