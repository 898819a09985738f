"""Keyless signing end to end, against an instance of our own on this machine."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest
from sigstore_instance import ISSUER
from sigstore_server import client_trust_config, instance_of_today, running, token

from provenance.attestations.bundle import parse_bundle
from provenance.attestations.oms import read_manifest
from provenance.errors import UsageError
from provenance.signing.sign import sign
from provenance.signing.trust import Trust, TrustedIdentity
from provenance.signing.verifying import verify_bundle

WHO = "release@example.com"


@pytest.fixture
def instance():
    instance = instance_of_today()
    with running(instance) as address:
        instance.address = address
        yield instance


@pytest.fixture
def config(instance, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(client_trust_config(instance, instance.address)))
    return path


@pytest.fixture
def model(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "w.bin").write_bytes(b"w")
    return tmp_path / "model"


def test_what_is_signed_verifies(model, instance, config):
    path = sign(model, sigstore=True, identity_token=token(), trust_config=config)
    assert path == model / "model.sig"
    assert instance.seen == ["/api/v2/signingCert", "/api/v1/log/entries"]
    bundle = parse_bundle(path.read_bytes())
    trust = Trust(identities=(TrustedIdentity("release", WHO, ISSUER),), trusted_root=config)
    now = datetime.now(UTC)
    signer, findings = verify_bundle(bundle, trust, now=now, where="model.sig")
    assert (findings, signer.identity) == ((), WHO)
    assert abs(signer.time - now) < timedelta(minutes=5)
    assert read_manifest(bundle.payload).manifest.file_names == {"w.bin"}


def test_the_token_may_come_from_the_environment(model, config, monkeypatch):
    monkeypatch.setenv("SIGSTORE_ID_TOKEN", token("robot@example.com"))
    path = sign(model, sigstore=True, trust_config=config)
    trust = Trust(identities=(TrustedIdentity("robot", "robot@*", ISSUER),), trusted_root=config)
    signer, _ = verify_bundle(parse_bundle(path.read_bytes()), trust, now=datetime.now(UTC), where="x")
    assert signer.identity == "robot@example.com"


@pytest.mark.parametrize(
    "given", [token("nobody@example.com"), token(seconds=-60)], ids=["refused", "expired"]
)
def test_where_the_instance_refuses_nothing_is_written_and_the_token_not_shown(model, config, given):
    with pytest.raises(UsageError, match="Sigstore did not sign") as caught:
        sign(model, sigstore=True, identity_token=given, trust_config=config)
    assert given not in str(caught.value)
    assert os.listdir(model) == ["w.bin"]


def test_an_instance_that_cannot_be_reached_is_told(model, tmp_path):
    with running(instance := instance_of_today()) as address:
        pass
    (tmp_path / "gone.json").write_text(json.dumps(client_trust_config(instance, address)))
    with pytest.raises(UsageError, match="Sigstore did not sign"):
        sign(model, sigstore=True, identity_token=token(), trust_config=tmp_path / "gone.json")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"mediaType": "x"}'])
def test_a_broken_trust_config_is_told(model, tmp_path, text):
    (tmp_path / "broken.json").write_text(text)
    for path in (tmp_path / "broken.json", tmp_path / "absent.json"):
        with pytest.raises(UsageError, match="Sigstore did not sign"):
            sign(model, sigstore=True, identity_token=token(), trust_config=path)
