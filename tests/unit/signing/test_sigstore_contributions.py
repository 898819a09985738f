"""Contributions by an identity: a trusted time lets what lies before a revocation stand."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sigstore_instance import ISSUER
from sigstore_server import client_trust_config, instance_of_today, running, token

import provenance
from provenance.attestations.contribution import read_contribution
from provenance.errors import Refused, UsageError
from provenance.lineage.statements import open_statement
from provenance.trust.contributors import standing_finding
from provenance.trust.roster_editing import add_contributor, init_roster, revoke_contributor

WHO = "alice@example.com"


@pytest.fixture
def config(tmp_path):
    instance = instance_of_today()
    with running(instance) as address:
        path = tmp_path / "config.json"
        path.write_text(json.dumps(client_trust_config(instance, address)))
        yield path


@pytest.fixture
def batch(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "batch.jsonl").write_text("a\nb\n")
    return tmp_path / "data" / "batch.jsonl"


@pytest.fixture
def roster(tmp_path):
    path = init_roster(tmp_path / "roster.toml")
    add_contributor(path, "alice", identities=[(WHO, ISSUER)])
    return path


def give(batch, config, who=WHO):
    return provenance.contribute(
        batch,
        contributor="alice",
        sigstore=True,
        identity_token=token(who),
        trust_config=config,
        records="jsonl",
    )


def judge(bundle, found, config):
    signed = open_statement(bundle, found.trust()._replace(trusted_root=config))
    owner = found.contributor_of_signer(signed.signer)
    assert owner.id == read_contribution(signed.statement).contributor == "alice"
    problem = standing_finding(owner, signed.signer, claimed=None)
    return problem.rule if problem else "stands"


def test_what_was_signed_before_a_revocation_stands(batch, config, roster):
    bundle = give(batch, config)
    assert give(batch, config) == bundle  # the key was another one, and the contributor the same
    later = datetime.now(UTC) + timedelta(days=1)
    found = revoke_contributor(roster, "alice", reason="left", at=later)
    assert judge(bundle, found, config) == "stands"
    text = roster.read_text().replace(later.isoformat().replace("+00:00", "Z"), "2020-01-01")
    roster.write_text(text)
    found = add_contributor(roster, "bob", identities=[("bob@example.com", ISSUER)])
    assert judge(bundle, found, config) == "CON011"


def test_another_identity_is_a_stranger(batch, config, roster):
    bundle = give(batch, config, who="mallory@example.com")
    found = add_contributor(roster, "bob", identities=[("bob@example.com", ISSUER)])
    with pytest.raises(Refused) as raised:
        judge(bundle, found, config)
    assert raised.value.code == "SIG006"


def test_one_thing_signs(batch, key):
    for options in ({}, {"key": key, "sigstore": True}):
        with pytest.raises(UsageError, match="one thing"):
            provenance.contribute(batch, contributor="alice", **options)
