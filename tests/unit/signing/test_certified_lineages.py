"""Statements of lineage that are signed under certificates, judged by a policy that names the root."""

from __future__ import annotations

import base64
import json

import msgspec
import pytest
from lineage_world import World
from signing_pki import NOW, YEAR, authority, leaf

import provenance
from policies import SignerRule
from provenance.attestations.revocation import Revocation, revocation_statement
from provenance.attestations.slsa import derivation, input_descriptor, provenance_statement
from provenance.lineage.statements import write_statement
from provenance.lineage.subjects import subject_of
from provenance.signing.signers import certificate_signer


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path)


def certified(world, name, root, **options):
    issued = leaf(name, root, **options)
    (world.root / f"{name}.pem").write_bytes(issued.pem)
    return certificate_signer(issued.key, world.root / f"{name}.pem")


def policy(world, root):
    (world.root / "root.pem").write_bytes(root.pem)
    found = world.policy()
    signer = SignerRule(name="builders", certificates=(str(world.root / "root.pem"),))
    accept = msgspec.structs.replace(found.signatures, accept=("trainer", "builders"))
    return msgspec.structs.replace(found, signers=(*found.signers, signer), signatures=accept)


def model_by(world, signer):
    model = world.root / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    predicate = derivation(
        "train", inputs=[input_descriptor(subject_of(world.batch("alice")), "dataset")], parameters={}
    )
    write_statement(
        provenance_statement([subject_of(model)], predicate), signer=signer, artifact=model, kind="train"
    )
    provenance.sign(model, key=world.key("trainer"))
    return model


def verdict(world, model, root, **options):
    found = provenance.verify(model, policy=policy(world, root), store=world.root, now=NOW, **options)
    return found.lineage, {each.rule for each in found.findings if each.severity == "error"}


def test_a_certificate_under_the_named_root_is_accepted(world):
    root = authority("root")
    model = model_by(world, certified(world, "builder", root))
    assert verdict(world, model, root) == ("proven", set())


def test_a_certificate_under_another_root_is_a_strangers(world):
    root = authority("root")
    model = model_by(world, certified(world, "builder", authority("other")))
    assert verdict(world, model, root) == ("asserted", {"LIN002"})


def test_a_certificate_that_has_run_out_is_not_accepted(world):
    root = authority("root")
    model = model_by(world, certified(world, "builder", root, start=NOW - 2 * YEAR, end=NOW - YEAR))
    assert verdict(world, model, root) == ("asserted", {"LIN002"})


def withdraw(world, artifact, signer):
    told = Revocation(revokes="artifact", reason="poisoned", effective_from=NOW, created_at=NOW)
    statement = revocation_statement(subject_of(artifact), told)
    write_statement(statement, signer=signer, artifact=artifact, kind="revocation")


def test_a_withdrawal_under_the_named_root_counts(world):
    root = authority("root")
    model = model_by(world, certified(world, "builder", root))
    withdraw(world, model, certified(world, "another", root))
    assert verdict(world, model, root) == ("asserted", {"LIN005"})


def test_a_withdrawal_under_another_root_does_not(world):
    root = authority("root")
    model = model_by(world, certified(world, "builder", root))
    withdraw(world, model, certified(world, "another", authority("other")))
    assert verdict(world, model, root) == ("proven", set())


def test_a_withdrawal_whose_signature_is_broken_does_not(world):
    root = authority("root")
    model = model_by(world, certified(world, "builder", root))
    withdraw(world, model, certified(world, "another", root))
    (bundle,) = (world.root / "model" / ".provenance").glob("*revocation*")
    told = json.loads(bundle.read_bytes())
    told["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(b"0" * 70).decode()
    bundle.write_text(json.dumps(told))
    assert verdict(world, model, root) == ("proven", set())
