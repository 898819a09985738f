"""Attacks on a round, each a short story: what an attacker does, and what comes of it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
from round_world import World, errors, loaded, rules

from provenance.aggregation.passes import over_threads
from provenance.aggregation.rounds.engine import Engine
from provenance.errors import Refused
from provenance.signing.keys import generate


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_honest_updates_are_combined(world):
    world.everybody()
    result = world.aggregate()
    assert (result.decision, result.n, result.rejected) == ("accepted", 7, ())
    assert [each.contributor for each in result.accepted] == sorted(world.keys)
    assert abs(float(result.tensors["layer.weight"].mean()) - 1) < 0.02


def test_a_changed_update_is_dropped_and_named(world):
    world.everybody()
    path = world.folder / "bob.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    result = world.aggregate()
    assert result.decision == "accepted"
    assert [(each.contributor, each.path, each.rule) for each in result.rejected] == [
        ("bob", "bob.safetensors", "AGG001")
    ]
    assert "changed afterwards" in result.rejected[0].message


def test_an_update_by_a_stranger_is_dropped(world):
    world.everybody()
    world.update("mallory", by=generate("ed25519"))
    assert rules(world.aggregate()) == [("mallory", "AGG002")]


def test_a_strangers_signature_under_anothers_name_is_dropped(world):
    world.everybody()
    world.update("alice", file="forged.safetensors", by=generate("ed25519"))
    result = world.aggregate()
    assert rules(result) == [("alice", "AGG002")]
    assert result.n == 7


def test_a_contributor_who_signs_as_another_is_dropped(world):
    for name in ("alice", "cora", "dave", "erin"):
        world.update(name)
    world.update("alice", file="forged.safetensors", by=world.keys["bob"])
    assert rules(world.aggregate()) == [("alice", "AGG003")]


def test_a_revoked_contributor_does_not_count(world):
    world.everybody()
    world.revoke("dave")
    result = world.aggregate()
    assert rules(result) == [("dave", "AGG004")]
    assert "stolen" in result.rejected[0].message


def test_an_update_of_an_earlier_round_is_a_replay(world):
    world.everybody()
    world.update("bob", round=11)
    result = world.aggregate()
    assert rules(result) == [("bob", "AGG005")]


def test_an_update_of_another_base_model_does_not_count(world):
    world.everybody()
    world.update("bob", base="0" * 64)
    assert rules(world.aggregate()) == [("bob", "AGG006")]


def test_two_updates_of_one_contributor_are_both_dropped_and_kept_as_proof(world):
    world.everybody()
    other = world.write(world.folder / "second" / "bob.safetensors", world.values(9.0))
    world.sign(other, "bob")
    out = world.root / "out.safetensors"
    result = world.aggregate(output=out)
    assert rules(result) == [("bob", "AGG007"), ("bob", "AGG007")]
    assert result.n == 6
    kept = (world.root / ".provenance" / "out.safetensors.equivocation.jsonl").read_text().splitlines()
    assert len(kept) == 2
    assert all("dsseEnvelope" in json.loads(line) for line in kept)


def test_the_same_file_twice_is_one_update(world):
    world.everybody()
    shutil.copy(world.folder / "bob.safetensors", world.folder / "copy.safetensors")
    result = world.aggregate()
    assert (result.n, result.decision) == (7, "accepted")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_value_that_is_no_number_never_reaches_the_result(world, value):
    poison = world.values()
    poison["layer.bias"][3] = value
    world.everybody(bob=poison)
    result = world.aggregate()
    assert rules(result) == [("bob", "AGG009")]
    assert all(np.isfinite(each).all() for each in result.tensors.values())


def test_a_norm_that_no_dtype_holds_is_dropped(world):
    world.everybody(bob={name: np.full(each.shape, 3e38, "f4") for name, each in world.values().items()})
    assert rules(world.aggregate()) == [("bob", "AGG010")]


def test_a_bound_on_norms_is_kept(world):
    world.everybody(bob=world.values(100.0))
    assert rules(world.aggregate(max_norm=1000.0)) == [("bob", "AGG010")]


def test_other_tensors_than_the_base_models_are_dropped(world):
    wrong = world.values()
    wrong["layer.bias"] = wrong["layer.bias"][:-1]
    world.everybody(bob=wrong)
    result = world.aggregate(base=world.base)
    assert rules(result) == [("bob", "AGG008")]
    assert "layer.bias" in result.rejected[0].message


def test_a_weight_that_a_contributor_claims_has_no_effect(world):
    world.everybody()
    world.update("bob", world.values(50.0), claimed_weight=1e9)
    honest = world.aggregate("mean", 0)
    assert {each.voting_right for each in honest.accepted} == {1.0}
    assert len({each.coefficient for each in honest.accepted}) == 1


def test_too_many_dropped_updates_refuse_the_round(world):
    world.everybody()
    for name in ("alice", "bob", "cora"):
        (world.folder / f"{name}.safetensors").write_bytes(b"gone")
    result = world.aggregate(faulty=2)
    assert result.decision == "refused"
    assert errors(result) == ["AGG013"]
    assert result.n == 4
    assert not result.digest


def test_a_sybil_is_whoever_the_roster_does_not_name(world):
    world.everybody()
    for number in range(20):
        world.update(f"sybil{number}", world.values(100.0), by=generate("ed25519"))
    result = world.aggregate()
    assert result.n == 7
    assert len(result.rejected) == 20


def test_links_and_devices_are_not_followed(world):
    world.everybody()
    secret = world.write(world.root / "secret.safetensors", world.values())
    (world.folder / "link.safetensors").symlink_to(secret)
    os.mkfifo(world.folder / "pipe.safetensors")
    result = world.aggregate()
    assert {each.rule for each in result.rejected} == {"AGG011"}
    assert result.n == 7


def changing_late(world, monkeypatch):
    """Change an update between its verification and the use of what was computed."""
    from provenance.aggregation.rounds import round as verb

    honest = verb.compute

    def late(admission, *arguments, **options):
        path = world.folder / "bob.safetensors"
        with path.open("r+b") as file:
            file.seek(-4, os.SEEK_END)
            file.write(b"\0\0\0\1")
        return honest(admission, *arguments, **options)

    monkeypatch.setattr(verb, "compute", late)


def test_an_update_that_changes_while_it_is_aggregated_stops_the_round(world, monkeypatch):
    world.everybody()
    changing_late(world, monkeypatch)
    out = world.root / "out.safetensors"
    with pytest.raises(Refused, match="changed while it was aggregated"):
        world.aggregate(output=out, engine=Engine(passes=over_threads))
    assert not out.exists()


def test_an_update_that_changes_after_it_was_computed_with_changes_nothing(world, monkeypatch):
    world.everybody()
    honest = world.aggregate().digest
    changing_late(world, monkeypatch)
    assert world.aggregate().digest == honest


def test_an_unsigned_roster_change_is_refused(world):
    world.everybody()
    text = world.roster.read_text().replace('id = "grace"', 'id = "mallory"')
    world.roster.write_text(text)
    with pytest.raises(Refused):
        world.aggregate()


def test_a_replay_gives_the_same_bits(world):
    world.everybody()
    found = world.replay(world.signed())
    assert (found.decision, found.findings) == ("accepted", ())
    assert found.digest == found.recomputed


def test_a_server_that_cheats_is_caught(world):
    world.everybody()
    result = world.signed()
    values = loaded(result)
    values["layer.weight"][0, 0] += 1
    world.write(result, values)
    found = world.replay(result)
    assert found.decision == "refused"
    assert errors(found) == ["AGG016"]
    assert "layer.weight, 1 of 1200 values" in next(each.where for each in found.findings)


def test_a_server_that_leaves_a_contributor_out_is_caught(world):
    world.everybody()
    (world.folder / ".provenance").rename(world.root / "aside")
    (world.folder / ".provenance").mkdir()
    for bundle in (world.root / "aside").iterdir():
        if not bundle.name.startswith("grace"):
            shutil.copy(bundle, world.folder / ".provenance")
    result = world.signed()
    shutil.copytree(world.root / "aside", world.folder / ".provenance", dirs_exist_ok=True)
    found = world.replay(result)
    assert found.decision == "refused"
    assert errors(found) == ["AGG017"]
    assert "grace" in found.findings[0].message


def test_a_server_that_lets_a_revoked_contributor_vote_is_caught(world):
    world.everybody()
    result = world.signed()
    world.revoke("bob")
    found = world.replay(result)
    assert found.decision == "refused"
    assert "AGG020" in errors(found)


def test_a_missing_update_leaves_a_replay_undecided(world):
    world.everybody()
    result = world.signed()
    (world.folder / "bob.safetensors").unlink()
    found = world.replay(result)
    assert found.decision == "undecided"
    assert errors(found) == ["AGG018"]


def test_one_changed_bit_of_one_update_is_found(world):
    world.everybody()
    result = world.signed()
    path = world.folder / "bob.safetensors"
    data = bytearray(path.read_bytes())
    data[-2] ^= 1
    path.write_bytes(data)
    assert world.replay(result).decision == "undecided"


def test_a_result_without_a_statement_is_undecided(world):
    world.everybody()
    out = world.root / "out.safetensors"
    world.aggregate(output=out)
    found = world.replay(out)
    assert (found.decision, errors(found)) == ("undecided", ["AGG019"])


def test_a_statement_by_another_key_does_not_count(world):
    world.everybody()
    result = world.signed()
    stranger = generate("ed25519").public_key()
    assert errors(world.replay(result, keys=[stranger])) == ["AGG019"]


def test_a_verdict_does_not_depend_on_the_order_or_names_of_files(world):
    world.everybody()
    first = world.aggregate().digest
    for name in world.keys:
        (world.folder / f"{name}.safetensors").rename(world.folder / f"x{name[::-1]}.safetensors")
    assert world.aggregate().digest == first


def test_a_contributor_without_a_voting_right_does_not_count(tmp_path):
    world = World(tmp_path, bob=0.0)
    world.everybody()
    result = world.aggregate()
    assert rules(result) == [("bob", "AGG004")]
    assert "no voting right" in result.rejected[0].message


def restated(world: World, **changes: object) -> Path:
    """A result whose server signs another story about it than what happened."""
    from provenance.aggregation.rounds import round as verb

    honest = verb.round_statement

    def lie(subject, result, **members):
        statement = honest(subject, result, **members)
        for name, change in changes.items():
            statement = change(statement) if name == "statement" else statement
        return statement

    verb.round_statement = lie
    try:
        return world.signed(rule="mean", faulty=0)
    finally:
        verb.round_statement = honest


def test_a_statement_about_another_result_is_caught(world):
    world.everybody()
    subject = {"sha256": "0" * 64}

    def other(statement):
        first = msgspec.structs.replace(statement.subject[0], digest=subject)
        return msgspec.structs.replace(statement, subject=(first,))

    assert errors(world.replay(restated(world, statement=other))) == ["AGG016"]


def test_a_server_that_weighs_a_friend_more_is_caught(world):
    world.everybody()

    def heavier(statement):
        text = msgspec.json.encode(statement).replace(b'"votingRight":1.0', b'"votingRight":5.0', 1)
        return msgspec.json.decode(text, type=type(statement))

    found = world.replay(restated(world, statement=heavier))
    assert found.decision == "refused"
    assert "AGG020" in errors(found)


def test_a_bound_on_norms_is_part_of_the_round_and_of_its_replay(world):
    world.everybody(bob=world.values(100.0))
    result = world.signed(max_norm=1000.0)
    found = world.replay(result)
    assert (found.decision, found.findings) == ("accepted", ())
    assert ("bob", "AGG010") in rules(found)
