"""Attacks on lineages: each forges, swaps, hides or replays something, and must not end in "proven"."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import sqlite3
from datetime import UTC, datetime

import pytest
from lineage_world import World, bundle_of, derive, payload_of, signed_again, with_payload

import provenance
from provenance.attestations.revocation import Revocation, revocation_statement, revoked_key
from provenance.errors import Refused
from provenance.lineage.statements import leaves_path, write_statement
from provenance.lineage.subjects import subject_of
from provenance.signing.keys import fingerprint, load_public_key
from provenance.signing.signers import open_key

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path)


@pytest.fixture
def model(world):
    return world.usual()


def errors(found) -> set[str]:
    return {each.rule for each in found.findings if each.severity == "error"}


def verdict(world, model, **options) -> tuple[str, set[str]]:
    found = world.verify(model, **options)
    return found.decision, errors(found)


def test_nothing_is_wrong_before_the_attack(world, model):
    assert verdict(world, model) == ("accepted", set())


# --- edges


def test_an_edge_whose_inputs_were_changed_is_refused(world, model):
    bundle = bundle_of(model, "train")
    payload = payload_of(bundle)
    payload["predicate"]["buildDefinition"]["resolvedDependencies"][0]["digest"]["sha256"] = "0" * 64
    with_payload(bundle, payload)
    assert verdict(world, model) == ("refused", {"LIN003"})
    assert world.trace(model).status != "proven"


def test_an_edge_signed_again_by_a_stranger_is_no_proof(world, model):
    bundle = bundle_of(world.data, "curate")
    signed_again(bundle, payload_of(bundle), world.key("stranger"))
    assert verdict(world, model) == ("refused", {"LIN002"})


def test_an_edge_signed_again_under_the_hint_of_the_right_key_is_refused(world, model):
    bundle = bundle_of(world.data, "curate")
    hint = json.loads(bundle.read_text())["verificationMaterial"]
    signed_again(bundle, payload_of(bundle), world.key("stranger"))
    tree = json.loads(bundle.read_text())
    tree["verificationMaterial"] = hint
    bundle.write_text(json.dumps(tree))
    assert verdict(world, model) == ("refused", {"LIN003"})


def test_an_edge_without_a_signature_is_malformed_and_refused(world, model):
    bundle = bundle_of(world.data, "curate")
    tree = json.loads(bundle.read_text())
    tree["dsseEnvelope"]["signatures"] = []
    bundle.write_text(json.dumps(tree))
    assert verdict(world, model) == ("refused", {"LIN001", "LIN003"})


def test_an_edge_that_is_gone_is_missing(world, model):
    bundle_of(world.data, "curate").unlink()
    assert verdict(world, model) == ("undecided", {"LIN001"})


def test_strangers_cannot_stop_anybody_with_wrong_bundles(world, model):
    """What is wrong and not needed is told, and changes nothing."""
    copy = world.root / "copy.sigstore.json"
    shutil.copy(bundle_of(world.data, "curate"), copy)
    payload = payload_of(copy)
    payload["predicate"]["buildDefinition"]["resolvedDependencies"] = []
    with_payload(copy, payload)
    (world.root / "broken.sigstore.json").write_text("{")
    found = world.verify(model)
    assert found.decision == "accepted"
    assert {each.rule for each in found.findings} == {"LIN003"}


def test_swapped_parents_do_not_pass_for_each_other(world, model):
    """The bundles of two batches change places, and so do the files; digests are what joins."""
    alice, bob = bundle_of(world.alice, "contribution"), bundle_of(world.bob, "contribution")
    first, second = alice.read_bytes(), bob.read_bytes()
    alice.write_bytes(second)
    bob.write_bytes(first)
    found = world.trace(model)
    ways = {(path.steps[-1].digest, path.contributor) for path in found.paths}
    assert ways == {
        (subject_of(world.alice).digest["sha256"], "alice"),
        (subject_of(world.bob).digest["sha256"], "bob"),
    }


def test_a_statement_about_other_bytes_of_the_same_name_is_not_about_these(world, model):
    other = world.file("bob.jsonl", "another\n", folder="elsewhere")
    provenance.contribute(other, contributor="bob", key=world.key("bob"), records="jsonl")
    bundle_of(world.bob, "contribution").unlink()
    assert verdict(world, model) == ("undecided", {"LIN001"})


def test_a_statement_whose_subject_names_another_file_with_the_same_bytes(world, model):
    """The name in a subject is for people: the same bytes are the same source, whatever they are called."""
    bundle = bundle_of(world.bob, "contribution")
    payload = payload_of(bundle)
    payload["subject"][0]["name"] = "../../etc/passwd"
    signed_again(bundle, payload, world.key("bob"))
    found = world.trace(model)
    assert found.status == "proven"
    assert all(
        "etc/passwd" not in step.path or step.path == step.name for path in found.paths for step in path.steps
    )


def test_two_parents_with_one_digest_are_told_apart_by_their_names(world):
    """Directories with the same bytes under other names have one root digest; dirHash tells them apart."""
    good, evil = world.root / "good", world.root / "evil"
    for path, names in ((good, ("train.txt", "valid.txt")), (evil, ("train.txt", "wrong.txt"))):
        path.mkdir()
        for name, text in zip(names, ("1\n", "2\n"), strict=True):
            (path / name).write_text(text)
    provenance.contribute(good, contributor="alice", key=world.key("alice"))
    assert subject_of(good).digest == subject_of(evil).digest
    assert world.trace(world.model([good], name="honest")).status == "proven"
    assert world.trace(world.model([evil], name="dishonest")).status == "missing"


def test_a_file_that_holds_the_digest_of_another_is_not_the_other(world):
    """The plain SHA-256 of 32 bytes can be the root digest of something else."""
    data = world.file("data.bin", "the data that nobody contributed")
    import hashlib

    decoy = world.root / "decoy.bin"
    decoy.write_bytes(hashlib.sha256(data.read_bytes()).digest())
    provenance.contribute(decoy, contributor="bob", key=world.key("bob"))
    plain = payload_of(bundle_of(decoy, "contribution"))["subject"][0]["annotations"]["fileSha256"]
    assert plain == subject_of(data).digest["sha256"]
    assert world.trace(world.model([data])).status == "missing"


def test_a_circle_has_no_origin(world):
    first, second = world.file("first.txt", "1"), world.file("second.txt", "2")
    derive(first, [second], world.key("curator"), kind="curate")
    derive(second, [first], world.key("curator"), kind="curate")
    found = world.trace(first)
    assert (found.status, found.decision, errors(found)) == ("missing", "refused", {"LIN007"})


# --- contributors


def test_a_contribution_in_the_name_of_another_is_refused(world):
    batch = world.batch("alice", signer="bob")
    found = world.trace(world.model([batch]))
    assert (found.decision, errors(found)) == ("refused", {"CON010"})
    assert found.status != "proven"


def test_not_even_a_trusted_signer_contributes_in_the_name_of_a_member(world):
    batch = world.batch("alice", signer="curator")
    found = world.trace(world.model([batch]))
    assert (found.decision, errors(found)) == ("refused", {"CON010"})


def test_a_record_claimed_by_another_is_told_with_both_names(world):
    stolen = world.records("alice").splitlines(keepends=True)[3]
    alice, bob = world.batch("alice"), world.batch("bob", text=world.records("bob") + stolen)
    data = world.curated([alice, bob], [stolen])
    found = world.trace(data, record=0)
    assert found.record.claimed_by == ("alice", "bob")
    assert "LIN018" in {each.rule for each in found.findings}
    assert found.record.contributor == "alice"


def test_a_batch_signed_by_two_is_claimed_by_both(world):
    batch = world.batch("alice")
    provenance.contribute(batch, contributor="bob", key=world.key("bob"), records="jsonl")
    found = world.trace(batch, record=2)
    assert found.record.claimed_by == ("alice", "bob")
    assert "LIN018" in {each.rule for each in found.findings}


def test_a_revoked_key_taints_whatever_date_it_writes(world, model):
    """No trusted time says when bob signed, so a date before the theft helps nothing."""
    world.revoke("bob", at="2026-11-01")
    provenance.contribute(
        world.bob,
        contributor="bob",
        key=world.key("bob"),
        records="jsonl",
        now=datetime(2020, 1, 1, tzinfo=UTC),
    )
    found = world.verify(model)
    assert (found.decision, errors(found)) == ("refused", {"CON011"})
    (error,) = (each for each in found.findings if each.severity == "error")
    assert error.where == "model <- curated.jsonl <- bob.jsonl"


def test_loading_is_refused_with_the_path(world, model):
    import numpy as np
    from safetensors.numpy import save_file

    save_file({"w": np.zeros(3, dtype=np.float32)}, model / "model.safetensors")
    model = world.model([world.data])
    options = {"policy": world.policy(), "store": world.root}
    assert list(provenance.load(model, **options)) == ["w"]
    world.revoke("bob")
    with pytest.raises(Refused, match="model <- curated.jsonl <- bob.jsonl") as raised:
        provenance.load(model, **options)
    assert raised.value.code == "CON011"
    with pytest.raises(Refused), provenance.open_tensors(model, **options):
        pass
    with pytest.raises(Refused), provenance.sealed(model, **options):
        pass


def test_a_rolled_back_roster_is_noticed(world, model):
    old = world.root / "old"
    old.mkdir()
    for each in world.root.glob("roster.toml*"):
        shutil.copy(each, old)
    world.revoke("bob")
    assert world.verify(model).decision == "refused"
    for each in old.glob("roster.toml*"):
        shutil.copy(each, world.root)
    assert verdict(world, model)[0] == "refused"
    assert "CON003" in verdict(world, model)[1]


def test_a_forbidden_contributor_is_refused(world, model):
    assert verdict(world, model, contributors='forbid = ["bob"]') == ("refused", {"LIN012"})
    assert verdict(world, model, contributors='forbid = ["carol"]') == ("accepted", set())


def test_an_update_replayed_into_a_later_round(world):
    import numpy as np
    from safetensors.numpy import save_file

    from provenance.attestations.slsa import derivation, input_descriptor, provenance_statement

    base, update, result = (world.root / f"{name}.safetensors" for name in ("base", "update", "result"))
    for number, path in enumerate((base, update, result)):
        save_file({"w": np.full(2, number, dtype=np.float32)}, path)
    provenance.sign(base, key=world.key("trainer"))
    provenance.contribute(update, contributor="alice", key=world.key("alice"), round="digits@11", base=base)
    for number, rules in ((11, set()), (12, {"LIN013"})):
        predicate = derivation(
            "aggregate",
            inputs=[input_descriptor(subject_of(update), "update")],
            parameters={"task": "digits", "round": number},
        )
        statement = provenance_statement([subject_of(result)], predicate)
        write_statement(statement, signer=open_key(world.key("trainer")), artifact=result, kind="aggregate")
        found = world.trace(result)
        assert errors(found) == rules
        assert (found.decision == "accepted") == (not rules)


# --- withdrawals


def withdraw(world, subject, signer, **options):
    told = {"revokes": "artifact", "reason": "poisoned", "effective_from": NOW, "created_at": NOW, **options}
    statement = revocation_statement(subject, Revocation(**told))
    return write_statement(
        statement, signer=open_key(world.key(signer)), artifact=world.bob, kind="revocation"
    )


def key_subject(world, name):
    return revoked_key(fingerprint(load_public_key(world.pub(name))))


def test_whoever_contributed_a_batch_may_withdraw_it(world, model):
    withdraw(world, subject_of(world.bob), "bob")
    assert verdict(world, model) == ("refused", {"LIN005"})


@pytest.mark.parametrize("who", ["curator", "maintainer"])
def test_whoever_is_trusted_may_withdraw_anything(world, model, who):
    withdraw(world, subject_of(world.bob), who)
    assert verdict(world, model) == ("refused", {"LIN005"})


@pytest.mark.parametrize("who", ["alice", "stranger"])
def test_nobody_else_may_withdraw_it(world, model, who):
    withdraw(world, subject_of(world.bob), who)
    assert verdict(world, model) == ("accepted", set())


def test_a_stolen_key_that_was_revoked_cannot_take_its_revocation_back(world, model):
    bundle = withdraw(world, key_subject(world, "trainer"), "trainer", revokes="key")
    import hashlib

    digest = hashlib.sha256(
        base64.b64decode(json.loads(bundle.read_text())["dsseEnvelope"]["payload"])
    ).hexdigest()
    assert verdict(world, model) == ("refused", {"LIN004"})
    os.rename(bundle, bundle.with_name("first.sigstore.json"))
    later = datetime(2099, 1, 1, tzinfo=UTC)
    withdraw(world, key_subject(world, "bob"), "bob", revokes="key", effective_from=later, supersedes=digest)
    assert verdict(world, model) == ("refused", {"LIN004"})


def test_a_withdrawal_of_tomorrow_has_no_effect_today(world, model):
    withdraw(world, subject_of(world.bob), "bob", effective_from=datetime(2099, 1, 1, tzinfo=UTC))
    assert verdict(world, model) == ("accepted", set())


# --- records


def test_a_removed_record_is_noticed(world):
    alice = world.batch("alice")
    lines = alice.read_text().splitlines(keepends=True)
    alice.write_text("".join(lines[:4] + lines[5:]))
    assert world.trace(alice).status == "missing"
    found = world.trace(alice, record=4)
    assert (found.status, found.record.origin) == ("missing", "unknown")


def test_leaves_that_were_changed_prove_nothing(world):
    alice = world.batch("alice")
    data = world.curated([alice], [world.records("alice").splitlines(keepends=True)[2]])
    assert world.trace(data, record=0).status == "proven"
    leaves = leaves_path(bundle_of(alice, "contribution"))
    content = bytearray(leaves.read_bytes())
    content[0] ^= 1
    leaves.write_bytes(content)
    alice.unlink()
    found = world.trace(data, record=0)
    assert found.status != "proven"
    assert found.record.proof is None
    assert found.decision != "accepted"


def test_origins_that_were_changed_prove_nothing(world):
    lines = world.records("alice").splitlines(keepends=True)
    data = world.curated([world.batch("alice"), world.batch("bob")], lines[2:4])
    bundle = bundle_of(data, "curate")
    origins = bundle.with_name(bundle.name.replace(".sigstore.json", ".origins"))
    content = origins.read_bytes()
    origins.write_bytes(content[8:] + content[:8])
    found = world.trace(data, record=0)
    assert found.status != "proven"
    assert "LIN019" in errors(found)


def test_an_origin_that_a_curator_invents_is_not_proven(world):
    """The curator says that a record is alice's; the leaf is not in her batch."""
    alice = world.batch("alice")
    data = world.curated([alice], ['{"by": "nobody"}\n'])
    bundle = bundle_of(data, "curate")
    origins = bundle.with_name(bundle.name.replace(".sigstore.json", ".origins"))
    origins.write_bytes(bytes(8))
    import hashlib

    payload = payload_of(bundle)
    payload["predicate"]["runDetails"]["byproducts"][0]["digest"]["sha256"] = hashlib.sha256(
        bytes(8)
    ).hexdigest()
    signed_again(bundle, payload, world.key("curator"))
    found = world.trace(data, record=0)
    assert found.record.origin == "edited"


def test_a_name_in_a_statement_is_never_opened_as_a_path(world):
    """The batch is said to be called like a file of somebody else's."""
    secret = world.root / "secret.jsonl"
    secret.write_text(world.records("alice"))
    alice = world.batch("alice")
    data = world.curated([alice], [world.records("alice").splitlines(keepends=True)[2]])
    bundle = bundle_of(alice, "contribution")
    payload = payload_of(bundle)
    payload["subject"][0]["name"] = str(secret)
    signed_again(bundle, payload, world.key("alice"))
    leaves_path(bundle).unlink()
    alice.unlink()
    found = world.trace(data, record=0)
    assert (found.status, found.record.proof) == ("missing", None)


# --- the index, and what is large


@pytest.fixture
def kept(world, model, monkeypatch):
    """The index of the world's statements, kept although there are few."""
    from provenance.lineage import opening

    monkeypatch.setattr(opening, "KEEP_FROM", 0)
    monkeypatch.setattr("provenance.lineage.index._SETTLED", -(10**18))
    assert world.trace(model).status == "proven"
    (path,) = (world_cache() / "provenance" / "lineage").glob("*.db")
    return path


def world_cache():
    from pathlib import Path

    return Path(os.environ["XDG_CACHE_HOME"])


def test_a_forged_index_changes_no_answer(world, model, kept):
    """The attacker adds a statement to the index that nobody signed."""
    world.revoke("bob")
    data = kept.read_bytes()
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.deserialize(data[32:])
        connection.execute("DELETE FROM claim WHERE contributor = 'bob'")
        forged = data[:32] + connection.serialize()
    assert forged != data
    kept.write_bytes(forged)
    assert errors(world.trace(model)) == {"CON011"}


def test_an_index_that_hides_a_statement_changes_no_answer(world, model, kept):
    bundle = bundle_of(world.bob, "contribution")
    withdraw(world, subject_of(world.bob), "bob")
    assert verdict(world, model) == ("refused", {"LIN005"})
    old = kept.read_bytes()
    os.remove(bundle)
    kept.write_bytes(old)
    assert verdict(world, model)[0] != "accepted"


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 4096])
def test_an_index_that_is_damaged_is_built_anew(world, model, kept, content):
    kept.write_bytes(content)
    assert world.trace(model).status == "proven"


def test_an_index_in_the_store_is_not_read(world, model):
    connection = sqlite3.connect(world.root / "model" / ".provenance" / "index.db")
    connection.execute("CREATE TABLE claim(id)")
    connection.close()
    assert verdict(world, model) == ("accepted", set())


def test_a_bundle_of_ten_megabytes_of_nesting(world, model):
    nested = b'{"a":' * 2_000_000
    (world.root / "deep.sigstore.json").write_bytes(nested)
    payload = base64.b64encode(b"[" * 7_000_000).decode()
    tree = json.loads(bundle_of(model, "train").read_text())
    tree["dsseEnvelope"]["payload"] = payload
    (world.root / "deeper.sigstore.json").write_text(json.dumps(tree))
    assert verdict(world, model) == ("accepted", set())


def test_links_out_of_a_store_are_not_followed(world, model, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    shutil.move(str(bundle_of(world.bob, "contribution")), outside / "x.sigstore.json")
    (world.root / "link").symlink_to(outside)
    (world.root / "link.sigstore.json").symlink_to(outside / "x.sigstore.json")
    assert verdict(world, model) == ("undecided", {"LIN001"})


def test_a_store_that_cannot_be_listed_leaves_it_open(world, model):
    found = world.verify(model, store=[world.root, world.root / "absent"])
    assert (found.decision, errors(found)) == ("undecided", {"LIN001", "LIN010"})


def test_the_guard_obeys_the_policy_on_lineage(world):
    import numpy as np
    from safetensors.numpy import load_file, save_file

    alice, bob = world.batch("alice"), world.batch("bob")
    model = world.root / "model"
    model.mkdir()
    save_file({"w": np.zeros(3, dtype=np.float32)}, model / "model.safetensors")
    model = world.model([world.curated([alice, bob])])
    with provenance.guard(policy=world.policy(), store=world.root):
        assert list(load_file(model / "model.safetensors")) == ["w"]
    world.revoke("bob")
    with provenance.guard(policy=world.policy(), store=world.root), pytest.raises(Refused, match="bob.jsonl"):
        load_file(model / "model.safetensors")
