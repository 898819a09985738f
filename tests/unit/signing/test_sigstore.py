"""Keyless signatures, verified offline with the trust roots of an instance of our own."""

import copy
import json
import os
import socket
import subprocess
import sys
from base64 import b64decode, b64encode
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st
from sigstore_instance import ISSUER, SIGNED_AT, Instance, utf8_string
from sigstore_server import client_trust_config

from provenance.attestations.bundle import SigstoreMaterial, encode_bundle, parse_bundle
from provenance.errors import Malformed, UsageError
from provenance.signing.sigstore_identities import _utf8_string
from provenance.signing.sigstore_roots import load_trusted_root
from provenance.signing.sigstore_signing import sign_with_sigstore
from provenance.signing.trust import Trust, TrustedIdentity, TrustedKey
from provenance.signing.verifying import verify_bundle

PAYLOAD = b'{"_type": "https://in-toto.io/Statement/v1"}'
WHO = "release@example.com"
INSTANCE = Instance()
BUNDLE = INSTANCE.bundle(PAYLOAD)
ROOT_OF_REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    path = tmp_path_factory.mktemp("trust") / "trusted_root.json"
    path.write_text(json.dumps(INSTANCE.trusted_root()))
    return path


def trust(root, *identities):
    pairs = identities or ((WHO, ISSUER),)
    names = (TrustedIdentity(f"signer{index}", *pair) for index, pair in enumerate(pairs))
    return Trust(identities=tuple(names), trusted_root=root)


def verified(tree, trust):
    bundle = parse_bundle(json.dumps(tree).encode())
    return verify_bundle(bundle, trust, now=SIGNED_AT + timedelta(days=700), where="model.sig")


def rules(tree, trust):
    signer, findings = verified(tree, trust)
    assert (signer is None) is any(found.severity == "error" for found in findings)
    return [found.rule for found in findings]


def changed(*path, value, tree=BUNDLE):
    tree = copy.deepcopy(tree)
    inner = tree
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return tree


ENTRY = ("verificationMaterial", "tlogEntries", 0)
PROOF = (*ENTRY, "inclusionProof")


def test_a_signature_is_verified_long_after_its_certificate_expired(root):
    signer, findings = verified(BUNDLE, trust(root))
    assert findings == ()
    assert (signer.name, signer.method, signer.identity, signer.issuer) == (
        "signer0",
        "sigstore",
        WHO,
        ISSUER,
    )
    assert signer.time == SIGNED_AT
    assert signer.fingerprint.startswith("SHA256:")


def test_only_the_identity_at_its_issuer_is_accepted(root):
    for identity, issuer in (
        ("other@example.com", ISSUER),
        (WHO, "https://elsewhere.example"),
        (WHO, ISSUER + "/"),
        (WHO, ""),
        ("", ISSUER),
        (WHO.upper(), ISSUER),
    ):
        signer, findings = verified(BUNDLE, trust(root, (identity, issuer)))
        assert signer is None
        assert [found.rule for found in findings] == ["SIG006"]
        assert f"{WHO} of {ISSUER}" in findings[0].message


def test_all_accepted_identities_that_match_count(root):
    pairs = (
        ("nobody@example.com", ISSUER),
        ("*@example.com", ISSUER),
        (WHO, ISSUER),
        ("regex:r.*@.*", ISSUER),
    )
    signer, _ = verified(BUNDLE, trust(root, *pairs))
    assert signer.satisfies == ("signer1", "signer2", "signer3")


def test_without_an_accepted_identity_nobody_is_accepted(root):
    assert rules(BUNDLE, Trust(trusted_root=root)) == ["SIG006"]


def test_the_signers_short_lived_key_is_not_what_is_trusted(root):
    from provenance.signing.certificates import leaf_key, parse_chain
    from provenance.signing.keys import fingerprint

    key = leaf_key(parse_chain([b64decode(BUNDLE["verificationMaterial"]["certificate"]["rawBytes"])])[0])
    only_key = Trust(keys=(TrustedKey("k", key, fingerprint(key)),), trusted_root=root)
    assert rules(BUNDLE, only_key) == ["SIG006"]


WORKFLOW = "https://github.com/acme/models/.github/workflows/release.yml@refs/tags/v1"
USER = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.7"), utf8_string("robot!example.com"))


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        (x509.UniformResourceIdentifier(WORKFLOW), WORKFLOW),
        (x509.UniformResourceIdentifier(WORKFLOW), WORKFLOW.replace("v1", "*")),
        (USER, "robot!example.com"),
    ],
)
def test_workflows_and_user_names_are_identities_too(root, name, pattern):
    tree = INSTANCE.bundle(PAYLOAD, names=x509.SubjectAlternativeName([name]))
    assert rules(tree, trust(root, (pattern, ISSUER))) == []
    assert rules(tree, trust(root, (WHO, ISSUER))) == ["SIG006"]


def test_a_long_issuer_is_read(root):
    issuer = "https://issuer.example/" + "x" * 150
    tree = INSTANCE.bundle(PAYLOAD, issuer=issuer)
    assert verified(tree, trust(root, (WHO, issuer)))[0].issuer == issuer


def test_a_name_of_another_kind_is_nobody(root):
    tree = INSTANCE.bundle(PAYLOAD, names=x509.SubjectAlternativeName([x509.DNSName(WHO)]))
    assert rules(tree, trust(root)) == ["SIG006"]


@pytest.mark.parametrize("minutes", [-2, 10, 60 * 24])
def test_the_log_must_have_seen_it_while_the_certificate_was_valid(root, minutes):
    instance = copy.copy(INSTANCE)
    instance.signed_at = SIGNED_AT + timedelta(minutes=minutes)
    assert rules(instance.bundle(PAYLOAD), trust(root)) == ["SIG017"]


def test_another_instance_is_not_trusted(root, tmp_path):
    assert rules(Instance().bundle(PAYLOAD), trust(root)) == ["SIG017"]
    assert rules(BUNDLE, trust(None)) == ["SIG017"]
    for part in ("tlogs", "ctlogs", "certificateAuthorities"):
        mixed = {**INSTANCE.trusted_root(), part: Instance().trusted_root()[part]}
        (tmp_path / "root.json").write_text(json.dumps(mixed))
        assert rules(BUNDLE, trust(tmp_path / "root.json")) == ["SIG017"]


def test_the_payload_and_the_signature_are_bound(root):
    other = INSTANCE.bundle(PAYLOAD + b" ")
    for part in ("payload", "signatures"):
        assert rules(changed("dsseEnvelope", part, value=other["dsseEnvelope"][part]), trust(root)) == [
            "SIG002"
        ]


@pytest.mark.parametrize("part", ["certificate", "tlogEntries"])
def test_certificate_and_log_entry_of_another_signature_do_not_fit(root, part):
    """Both are genuine; they speak of something else that the same person signed."""
    other = INSTANCE.bundle(PAYLOAD + b" ")["verificationMaterial"][part]
    assert rules(changed("verificationMaterial", part, value=other), trust(root))[0] in {"SIG002", "SIG017"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((*ENTRY, "integratedTime"), str(int(SIGNED_AT.timestamp()) + 1)),
        ((*ENTRY, "integratedTime"), None),
        ((*ENTRY, "inclusionPromise"), None),
        ((*ENTRY, "inclusionProof"), None),
        ((*ENTRY, "canonicalizedBody"), "e30="),
        ((*ENTRY, "logIndex"), "1"),
        ((*ENTRY, "kindVersion"), {"kind": "intoto", "version": "0.0.2"}),
        ((*ENTRY, "kindVersion"), {"kind": "dsse", "version": "0.0.9"}),
        ((*ENTRY, "logId"), {"keyId": "AAAA"}),
        ((*PROOF, "rootHash"), "AAAA"),
        ((*PROOF, "treeSize"), "2"),
        ((*PROOF, "logIndex"), "1"),
        ((*PROOF, "hashes"), ["AAAA"]),
        ((*PROOF, "checkpoint"), None),
        ((*PROOF, "checkpoint"), {"envelope": ""}),
        ((*PROOF, "checkpoint"), {"envelope": "x\n1\nAAAA\n\n\u2014 x AAAA\n"}),
        (("verificationMaterial", "certificate"), {"rawBytes": "AAAA"}),
        (
            ("verificationMaterial", "timestampVerificationData"),
            {"rfc3161Timestamps": [{"signedTimestamp": "AAAA"}]},
        ),
        (("verificationMaterial", "timestampVerificationData"), {"rfc3161Timestamps": 5}),
        (ENTRY, {}),
    ],
)
def test_a_proof_that_does_not_hold_is_refused(root, path, value):
    assert rules(changed(*path, value=value), trust(root))[0] in {"SIG008", "SIG017"}


def test_more_than_one_entry_is_refused(root):
    twice = BUNDLE["verificationMaterial"]["tlogEntries"] * 2
    assert rules(changed(*ENTRY[:2], value=twice), trust(root)) == ["SIG008"]


@pytest.mark.parametrize("version", ["0.1", "0.2"])
def test_older_bundles_carry_the_certificate_in_a_chain(root, version):
    tree = copy.deepcopy(BUNDLE)
    tree["mediaType"] = f"application/vnd.dev.sigstore.bundle+json;version={version}"
    material = tree["verificationMaterial"]
    material["x509CertificateChain"] = {"certificates": [material.pop("certificate")]}
    assert rules(tree, trust(root)) == []


PLACES = [
    ("dsseEnvelope", "payload"),
    ("dsseEnvelope", "signatures", 0, "sig"),
    ("verificationMaterial", "certificate", "rawBytes"),
    (*ENTRY, "canonicalizedBody"),
    (*ENTRY, "inclusionPromise", "signedEntryTimestamp"),
    (*PROOF, "rootHash"),
]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PLACES), st.data())
def test_one_flipped_bit_is_refused(root, place, data):
    inner = BUNDLE
    for key in place:
        inner = inner[key]
    content = bytearray(b64decode(inner))
    position = data.draw(st.integers(0, len(content) * 8 - 1))
    content[position // 8] ^= 1 << position % 8
    assert rules(changed(*place, value=b64encode(content).decode()), trust(root))[0] in {
        "SIG002",
        "SIG008",
        "SIG017",
    }


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([*PLACES, *((*ENTRY, key) for key in BUNDLE["verificationMaterial"]["tlogEntries"][0])]),
    st.sampled_from([None, True, 0, -1, "", "x", "AAAA", [], {}, [None], {"a": 1}, "9" * 40, 1e300]),
)
def test_any_value_in_any_place_is_refused_without_a_traceback(root, place, value):
    try:
        found = rules(changed(*place, value=value), trust(root))
    except Malformed:
        return
    assert found[0] in {"SIG002", "SIG008", "SIG017"}


def test_a_bundle_that_two_readers_read_differently_is_refused(root, monkeypatch):
    from sigstore.verify import Verifier

    real = Verifier.verify_dsse
    monkeypatch.setattr(Verifier, "verify_dsse", lambda *given: (real(*given)[0], b"other"))
    assert rules(BUNDLE, trust(root)) == ["SIG008"]


# Trust roots.


def test_the_shipped_roots_are_those_of_the_public_instance():
    tlogs = load_trusted_root(None)._inner.tlogs
    assert any("rekor.sigstore.dev" in str(log.base_url) for log in tlogs)


def test_trust_roots_may_come_in_a_client_trust_config(root, tmp_path):
    config = client_trust_config(INSTANCE, "https://x.example")
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert rules(BUNDLE, trust(tmp_path / "config.json")) == []


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"mediaType": "x"}', '{"mediaType": "clienttrustconfig"}', "\xff"]
)
def test_a_broken_file_of_trust_roots_is_told(tmp_path, text):
    (tmp_path / "root.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match="holds no Sigstore trust roots"):
        verified(BUNDLE, trust(tmp_path / "root.json"))
    with pytest.raises(UsageError, match="cannot read"):
        verified(BUNDLE, trust(tmp_path / "absent.json"))


@pytest.mark.parametrize("shipped", [True, False])
def test_verifying_opens_no_socket_and_writes_nothing(root, tmp_path, shipped):
    """In a fresh process, so that imports count too: without a home, without sockets, where nothing can be written."""
    (tmp_path / "bundle.json").write_text(json.dumps(BUNDLE))
    program = f"""
import socket, sys
class Denied(Exception): pass
def deny(*arguments, **options): raise Denied
class NoSocket(socket.socket):
    def __new__(cls, *arguments, **options): raise Denied
socket.socket = NoSocket
socket.create_connection = socket.getaddrinfo = deny
def audit(event, arguments):
    if event.startswith("socket.") and event != "socket.gethostname": raise Denied(event)
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"): raise Denied(arguments[0])
    if event in ("os.mkdir", "os.rename"): raise Denied(event)
sys.dont_write_bytecode = True
sys.addaudithook(audit)
from datetime import datetime, UTC
from pathlib import Path
from provenance.attestations.bundle import parse_bundle
from provenance.signing.trust import Trust, TrustedIdentity
from provenance.signing.verifying import verify_bundle
root = None if {shipped} else Path({str(root)!r})
trust = Trust(identities=(TrustedIdentity("ci", {WHO!r}, {ISSUER!r}),), trusted_root=root)
bundle = parse_bundle(Path("bundle.json").read_bytes())
signer, findings = verify_bundle(bundle, trust, now=datetime.now(UTC), where="bundle.json")
print([found.rule for found in findings], signer is not None)
"""
    environment = {
        "PYTHONPATH": str(ROOT_OF_REPOSITORY),
        "HOME": "/nonexistent/home",
        "PATH": os.environ["PATH"],
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.strip(), done.stderr) == ("['SIG017'] False" if shipped else "[] True", "")


# Signing needs the network; what can be told without it is.


def test_without_an_identity_nothing_is_signed(monkeypatch):
    for name in list(os.environ):
        if name.startswith(
            ("GITHUB_", "ACTIONS_", "GITLAB", "CI", "BUILDKITE", "CIRCLE", "GOOGLE_", "SIGSTORE_")
        ):
            monkeypatch.delenv(name)
    monkeypatch.setattr(socket, "socket", None)
    with pytest.raises(UsageError, match="no identity to sign with") as caught:
        sign_with_sigstore(PAYLOAD)
    assert "--identity-token" in caught.value.hint


@pytest.mark.parametrize("source", ["argument", "environment"])
def test_a_token_that_is_none_is_told_without_showing_it(monkeypatch, source):
    monkeypatch.setattr(socket, "socket", None)
    token = "s3cr3t.t0k3n.value"
    if source == "environment":
        monkeypatch.setenv("SIGSTORE_ID_TOKEN", token)
    with pytest.raises(UsageError, match="did not sign") as caught:
        sign_with_sigstore(PAYLOAD, identity_token=token if source == "argument" else None)
    assert token not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_sigstore_bundle_is_written_as_the_client_made_it():
    data = json.dumps(BUNDLE).encode()
    bundle = parse_bundle(data)
    assert isinstance(bundle.material, SigstoreMaterial)
    assert encode_bundle(bundle) == data


@given(st.text(max_size=300))
def test_utf8_strings_are_read(text):
    data = text.encode()
    size = len(data)
    header = (
        bytes([size]) if size < 128 else b"\x81" + bytes([size]) if size < 256 else b"\x82" + size.to_bytes(2)
    )
    assert _utf8_string(b"\x0c" + header + data) == text
    assert _utf8_string(b"\x0c" + header + data + b"x") == ""


@given(st.binary(max_size=8))
def test_what_is_no_utf8_string_is_nothing(der):
    assert isinstance(_utf8_string(der), str)
