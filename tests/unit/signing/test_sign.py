"""The verb sign: what it writes, where, and what it refuses to sign."""

import base64
import hashlib
import json
import os
import stat

import pytest
from blake3 import blake3
from signing_pki import authority, leaf

import provenance.signing.sign as sign_module
from provenance.attestations.bundle import CertificateChain, parse_bundle
from provenance.attestations.oms import read_manifest
from provenance.errors import Refused, Undecided, UsageError
from provenance.signing.keys import PasswordRequired, generate, load_private_key, oms_hint, write_key_pair
from provenance.signing.sign import sign


@pytest.fixture
def key(tmp_path):
    write_key_pair(tmp_path / "release.key", generate("ecdsa-p256"))
    return tmp_path / "release.key"


@pytest.fixture
def model(tmp_path):
    directory = tmp_path / "model"
    (directory / "sub").mkdir(parents=True)
    (directory / "b.bin").write_bytes(b"b" * 10)
    (directory / "sub" / "a.bin").write_bytes(b"a")
    return directory


def read(path):
    return read_manifest(parse_bundle(path.read_bytes()).payload)


def test_the_file_is_exactly_the_bundle_of_the_specification(model, key):
    """The whole of OMS v1.0, sections 4 and 5, for a managed key."""
    written = json.loads(sign(model, key=key).read_bytes())
    assert set(written) == {"mediaType", "verificationMaterial", "dsseEnvelope"}
    assert written["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    hint = oms_hint(load_private_key(key).public_key())
    assert written["verificationMaterial"] == {"publicKey": {"hint": hint}}
    envelope = written["dsseEnvelope"]
    assert set(envelope) == {"payload", "payloadType", "signatures"}
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    assert [set(each) for each in envelope["signatures"]] == [{"sig", "keyid"}]
    statement = json.loads(base64.b64decode(envelope["payload"], validate=True))
    assert set(statement) == {"_type", "subject", "predicateType", "predicate"}
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://model_signing/signature/v1.0"
    contents = {"b.bin": b"b" * 10, "sub/a.bin": b"a"}
    digests = {name: hashlib.sha256(content) for name, content in contents.items()}
    assert statement["subject"] == [
        {
            "name": "model",
            "digest": {"sha256": hashlib.sha256(b"".join(d.digest() for d in digests.values())).hexdigest()},
            "annotations": {
                "dirHash": hashlib.sha256(
                    "".join(f"{d.hexdigest()}  {name}\n" for name, d in digests.items()).encode()
                ).hexdigest()
            },
        }
    ]
    assert statement["predicate"] == {
        "resources": [
            {
                "name": name,
                "algorithm": "sha256",
                "digest": digests[name].hexdigest(),
                "annotations": {
                    "chunk_size": 4194304,
                    "chunk_algorithm": "blake3",
                    "chunks": [blake3(content).hexdigest()],
                },
            }
            for name, content in contents.items()
        ],
        "serialization": {
            "method": "files",
            "hash_type": "sha256",
            "allow_symlinks": False,
            "ignore_paths": [".git", ".gitattributes", ".github", ".gitignore", ".provenance", "model.sig"],
        },
    }


def test_places(model, key, tmp_path, monkeypatch):
    assert sign(model, key=key) == model / "model.sig"
    assert sign(model / "b.bin", key=key) == model / "b.bin.sigstore.json"
    assert sign(model, key=key, signature=tmp_path / "out.sig") == tmp_path / "out.sig"
    monkeypatch.chdir(model)
    assert sign(".", key=key).resolve() == model / "model.sig"
    assert read(model / "model.sig").subject_name == "model"


def test_bundles_are_not_part_of_what_is_signed(model, key):
    names = {"b.bin", "sub/a.bin"}
    for options in ({}, {"add": True}, {"signature": model / "sub" / "x.sig"}, {}):
        path = sign(model, key=key, **options)
        expected = (
            names if "x.sig" in str(path) or not (model / "sub" / "x.sig").exists() else {*names, "sub/x.sig"}
        )
        assert read(path).manifest.file_names == expected


def test_a_named_bundle_inside_of_the_artifact_is_recorded_as_left_out(model, key):
    path = sign(model, key=key, signature=model / "sub" / "x.sig", ignore=["b.bin"])
    ignored = read(path).manifest.serialization.ignore_paths
    assert {"sub/x.sig", "b.bin", ".provenance", "model.sig"} <= set(ignored)
    assert read(path).manifest.file_names == {"sub/a.bin"}


def test_signing_again_replaces_the_bundle_and_adding_never_does(model, key):
    first = sign(model, key=key).read_bytes()
    second = sign(model, key=key).read_bytes()
    assert first != second  # ECDSA is randomised
    added = [sign(model, key=key, add=True) for _ in range(3)]
    assert len(set(added)) == 3
    assert {path.parent for path in added} == {model / ".provenance"}
    assert (model / "model.sig").read_bytes() == second
    assert sign(model / "b.bin", key=key, add=True).parent == model / ".provenance"


def test_shards_and_digests_are_as_asked(model, key):
    manifest = read(sign(model, key=key, digest="blake2b", shard_size=4)).manifest
    ranges = [(item.name, item.start, item.end) for item in manifest.resources]
    assert ranges == [("b.bin", 0, 4), ("b.bin", 4, 8), ("b.bin", 8, 10), ("sub/a.bin", 0, 1)]
    assert manifest.resources[2].digest == hashlib.blake2b(b"bb").digest()
    assert (manifest.serialization.hash_type, manifest.serialization.shard_size) == ("blake2b", 4)


def test_an_encrypted_key_needs_its_password(model, tmp_path):
    write_key_pair(tmp_path / "k", generate("ed25519"), password=b"secret")
    with pytest.raises(PasswordRequired):
        sign(model, key=tmp_path / "k")
    with pytest.raises(UsageError, match="wrong"):
        sign(model, key=tmp_path / "k", password="other")
    for password in ("secret", b"secret"):
        assert sign(model, key=tmp_path / "k", password=password).exists()


def test_a_key_in_memory_signs_too(model):
    assert sign(model, key=generate("ml-dsa-65")).exists()


def test_a_certificate_and_its_chain_are_carried(model, tmp_path):
    root = authority("root")
    middle = authority("middle", root)
    signer = leaf("signer", middle, key=generate("ecdsa-p384"))
    (tmp_path / "signer.pem").write_bytes(signer.pem)
    (tmp_path / "chain.pem").write_bytes(middle.pem + root.pem)
    options = {"certificate": tmp_path / "signer.pem", "chain": [tmp_path / "chain.pem"]}
    bundle = parse_bundle(sign(model, key=signer.key, **options).read_bytes())
    assert bundle.material == CertificateChain((signer.der, middle.der, root.der))
    with pytest.raises(UsageError, match="for another key"):
        sign(model, key=generate("ecdsa-p384"), **options)
    with pytest.raises(UsageError, match="needs a certificate"):
        sign(model, key=signer.key, chain=options["chain"])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"key": "x", "sigstore": True},
        {"key": "absent.key"},
        {"digest": "md5"},
        {"digest": "SHA256"},
        {"shard_size": 0},
        {"shard_size": -5},
        {"ignore": ["../x"]},
        {"ignore": ["/etc"]},
        {"ignore": ["*.bin"]},
        {"ignore": [""]},
    ],
)
def test_wrong_arguments_are_told_and_nothing_is_written(model, key, options):
    if "key" not in options and "sigstore" not in options and options:
        options = {"key": key, **options}
    with pytest.raises(UsageError):
        sign(model, **options)
    assert sorted(os.listdir(model)) == ["b.bin", "sub"]


def test_what_cannot_be_signed_is_told_and_nothing_is_written(model, key, tmp_path):
    with pytest.raises(Undecided) as caught:
        sign(tmp_path / "absent", key=key)
    assert caught.value.code == "ART010"
    (tmp_path / "empty" / "sub").mkdir(parents=True)
    with pytest.raises(Refused) as caught:
        sign(tmp_path / "empty", key=key)
    assert caught.value.code == "ART007"
    (model / "link").symlink_to("b.bin")
    with pytest.raises(Refused, match="link") as caught:
        sign(model, key=key)
    assert caught.value.code == "ART001"
    assert read(sign(model, key=key, allow_symlinks=True)).manifest.file_names == {
        "b.bin",
        "link",
        "sub/a.bin",
    }


def test_a_bundle_that_cannot_be_written_is_told_and_leaves_nothing(model, key):
    (model / "model.sig").mkdir()
    with pytest.raises(UsageError, match="cannot write"):
        sign(model, key=key)
    assert sorted(os.listdir(model)) == ["b.bin", "model.sig", "sub"]
    with pytest.raises(UsageError, match="cannot write"):
        sign(model, key=key, signature=model / "no" / "such" / "place.sig")


def test_a_bundle_is_for_everybody_to_read(model, key):
    old = os.umask(0o022)
    try:
        assert stat.S_IMODE(sign(model, key=key).stat().st_mode) == 0o644
    finally:
        os.umask(old)


def test_more_files_than_a_verifier_reads_are_not_signed(model, key, monkeypatch):
    monkeypatch.setattr(sign_module, "MAX_PAYLOAD_BYTES", 100)
    with pytest.raises(Refused, match="too many files"):
        sign(model, key=key)


def test_the_largest_payload_fits_into_a_bundle():
    from provenance.attestations.limits import MAX_BUNDLE_BYTES, MAX_PAYLOAD_BYTES

    assert MAX_PAYLOAD_BYTES * 4 // 3 + 1024 * 1024 < MAX_BUNDLE_BYTES
