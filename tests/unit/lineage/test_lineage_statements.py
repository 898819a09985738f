"""Subjects of artifacts, and statements about them: written, found, opened."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

import provenance
from provenance.attestations.bundle import parse_bundle
from provenance.attestations.discovery import BundleSource, find_bundles
from provenance.attestations.oms import read_manifest
from provenance.attestations.statement import Statement, Subject
from provenance.errors import Malformed, Refused, Undecided, Unreadable, UsageError
from provenance.lineage.statements import (
    keyring,
    leaves_path,
    open_statement,
    read_statement,
    trust_of_keys,
    write_statement,
)
from provenance.lineage.subjects import subject_of
from provenance.signing.keys import fingerprint, load_private_key, load_public_key


def about(path: Path) -> Statement:
    return Statement(
        subject=(subject_of(path),), predicate_type="https://example.com/x/v1", predicate={"a": 1}
    )


@pytest.fixture
def trust(public):
    return trust_of_keys([public])


def test_the_subject_of_a_directory_is_that_of_its_signature(model, key):
    signed = read_manifest(parse_bundle(provenance.sign(model, key=key).read_bytes()).payload)
    subject = subject_of(model)
    assert subject.name == "model"
    assert subject.digest == {"sha256": signed.root_digest.hex()}
    assert subject.annotations == {"dirHash": signed.dir_hash}


def test_the_subject_of_a_file_has_its_plain_digest_too(model, key):
    file = model / "config.json"
    raw = hashlib.sha256(file.read_bytes())
    signed = read_manifest(parse_bundle(provenance.sign(file, key=key).read_bytes()).payload)
    subject = subject_of(file)
    assert (
        subject.digest
        == {"sha256": hashlib.sha256(raw.digest()).hexdigest()}
        == {"sha256": signed.root_digest.hex()}
    )
    assert subject.annotations == {"dirHash": signed.dir_hash, "fileSha256": raw.hexdigest()}


def test_what_cannot_be_read_has_no_subject(tmp_path):
    with pytest.raises(Undecided):
        subject_of(tmp_path / "nothing")
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / "out").symlink_to("/etc/passwd")
    with pytest.raises(Refused) as raised:
        subject_of(tmp_path / "link")
    assert raised.value.code == "ART001"


def test_a_statement_has_its_place_and_opens_with_the_key(model, key, public, trust):
    private = load_private_key(key)
    path = write_statement(about(model), signer=private, artifact=model, kind="train")
    name = fingerprint(load_public_key(public)).removeprefix("SHA256:")[:12]
    assert path == model / ".provenance" / f"model.train.{name}.sigstore.json"
    assert leaves_path(path).name == f"model.train.{name}.leaves"
    opened = open_statement(path, trust)
    assert opened.statement == about(model)
    assert opened.signer.fingerprint == fingerprint(load_public_key(public))
    assert opened.signer.time is None
    assert opened.digest == hashlib.sha256(parse_bundle(path.read_bytes()).payload).hexdigest()


def test_signing_again_replaces_only_ones_own(model, keys):
    for algorithm in ("ecdsa-p256", "ed25519", "ecdsa-p256"):
        write_statement(about(model), signer=load_private_key(keys[algorithm]), artifact=model, kind="curate")
    assert len(list((model / ".provenance").iterdir())) == 2


def test_a_file_has_its_statements_beside_it_and_verify_is_not_disturbed(model, key, public):
    file = model / "config.json"
    provenance.sign(model, key=key)
    path = write_statement(about(file), signer=load_private_key(key), artifact=file, kind="contribution")
    assert path.parent == model / ".provenance"
    assert provenance.verify(model, keys=[public]).decision == "accepted"
    assert find_bundles(model).additional == ()


def test_a_stranger_and_a_forger_are_refused(model, key, keys, trust):
    stranger = write_statement(
        about(model), signer=load_private_key(keys["ed25519"]), artifact=model, kind="train"
    )
    with pytest.raises(Refused) as raised:
        open_statement(stranger, trust)
    assert raised.value.code == "SIG006"
    document = json.loads(stranger.read_bytes())
    honest = write_statement(about(model), signer=load_private_key(key), artifact=model, kind="merge")
    document["verificationMaterial"] = json.loads(honest.read_bytes())["verificationMaterial"]
    stranger.write_text(json.dumps(document))
    with pytest.raises(Refused) as raised:
        open_statement(stranger, keyring(trust))
    assert raised.value.code == "SIG002"


def test_what_is_no_bundle_is_malformed_and_what_is_absent_undecided(tmp_path, trust):
    with pytest.raises(Malformed):
        open_statement(BundleSource("here", b"{}"), trust)
    with pytest.raises(Unreadable):
        open_statement(tmp_path / "absent", trust)
    with pytest.raises(Unreadable):
        read_statement(BundleSource("here", problem=Unreadable("no", code="SIG009")))


def test_a_linked_attestation_directory_is_not_written_to(model, key, tmp_path):
    statement = about(model)
    (tmp_path / "elsewhere").mkdir()
    (model / ".provenance").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="symbolic link"):
        write_statement(statement, signer=load_private_key(key), artifact=model, kind="train")
    assert os.listdir(tmp_path / "elsewhere") == []


def test_only_hinted_keys_are_tried(model, key, trust):
    """A stranger's bundles, each with another hint, do not make anybody try a thousand keys on each."""
    path = write_statement(about(model), signer=load_private_key(key), artifact=model, kind="train")
    document = json.loads(path.read_bytes())
    document["verificationMaterial"] = {"publicKey": {"hint": "0" * 64}}
    path.write_text(json.dumps(document))
    with pytest.raises(Refused) as raised:
        open_statement(path, trust)
    assert raised.value.code == "SIG006"


def test_a_subject_may_be_named_by_hand(model, key, trust):
    statement = Statement(
        subject=(Subject(name="x", digest={"sha256": "0" * 64}),),
        predicate_type="https://example.com",
        predicate={},
    )
    output = model.parent / "elsewhere.json"
    assert (
        write_statement(statement, signer=load_private_key(key), artifact=model, kind="train", output=output)
        == output
    )
    assert open_statement(output, trust).statement.predicate == {}
