"""Where an artifact comes from: proven, asserted or missing, and never an empty answer."""

from __future__ import annotations

import shutil

import pytest
from lineage_world import World, bundle_of, derive

import provenance
from provenance.errors import Refused, Undecided, Unreadable, UsageError


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path)


def rules(found) -> set[str]:
    return {each.rule for each in found.findings if each.severity == "error"}


def test_a_model_is_followed_to_everybody_who_contributed(world):
    found = world.trace(world.usual())
    assert (found.status, found.decision, found.exit_status, found.findings) == ("proven", "accepted", 0, ())
    ways = [[step.name for step in path.steps] for path in found.paths]
    assert ways == [["model", "curated.jsonl", "alice.jsonl"], ["model", "curated.jsonl", "bob.jsonl"]]
    assert [(path.contributor, path.licence) for path in found.paths] == [
        ("alice", "CC-BY-4.0"),
        ("bob", "CC-BY-4.0"),
    ]
    step = found.paths[0].steps[1]
    assert (step.kind, step.role, step.signer) == ("train", "dataset", "trainer")
    assert step.path == str(world.data)


def test_without_any_statement_it_is_missing(world):
    model = world.usual()
    shutil.rmtree(model / ".provenance")
    found = world.trace(model)
    assert (found.status, found.decision, found.exit_status) == ("missing", "undecided", 3)
    assert rules(found) == {"LIN001"}
    assert [[step.name for step in path.steps] for path in found.paths] == [["model"]]


def test_a_signature_of_the_model_alone_tells_nothing_of_its_sources(world):
    model = world.root / "plain"
    model.mkdir()
    (model / "config.json").write_text("{}")
    provenance.sign(model, key=world.key("trainer"))
    assert world.trace(model).status == "missing"


def test_without_the_bundle_of_one_input_it_is_missing(world):
    model = world.usual()
    bundle_of(world.bob, "contribution").unlink()
    found = world.trace(model)
    assert (found.status, found.exit_status, rules(found)) == ("missing", 3, {"LIN001"})
    (gap,) = found.findings
    assert gap.where == "model <- curated.jsonl <- bob.jsonl"


def test_statements_of_strangers_are_asserted(world):
    model = world.usual()
    found = world.trace(model, keys=[world.pub("trainer")])
    assert (found.status, found.decision) == ("asserted", "refused")
    assert rules(found) == {"LIN002"}


def test_an_input_that_somebody_accepted_signed_is_a_source(world):
    data = world.file("data.jsonl", world.records("x"))
    provenance.sign(data, key=world.key("curator"))
    model = world.model([data])
    found = world.trace(model)
    assert found.status == "proven"
    assert found.paths[0].steps[-1].name == "data.jsonl"
    assert found.paths[0].vouchers
    assert world.trace(model, keys=[world.pub("trainer")]).status == "asserted"


def test_a_contribution_counts_only_from_the_roster_but_keys_count_where_there_is_none(world):
    batch = world.batch("mallory", signer="stranger")
    model = world.model([batch])
    assert world.trace(model).status == "asserted"
    assert (
        world.trace(model, roster=None, keys=[world.pub("trainer"), world.pub("stranger")]).status == "proven"
    )


def test_a_contributor_may_not_say_what_others_made(world):
    """Whoever may contribute data may not attest a model."""
    model = world.root / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    derive(model, [world.batch("alice")], world.key("alice"))
    assert world.trace(model).status == "asserted"


def test_the_depth_is_bounded_and_what_lies_beyond_is_not_taken_for_proven(world):
    before = world.batch("alice")
    for number in range(4):
        after = world.file(f"step{number}.jsonl", f"{number}\n")
        derive(after, [before], world.key("curator"), kind="curate")
        before = after
    assert world.trace(before, max_depth=4).status == "proven"
    found = world.trace(before, max_depth=3)
    assert (found.status, found.exit_status, rules(found)) == ("missing", 3, {"LIN006"})


def test_one_file_may_have_several_names(world):
    model = world.usual()
    moved = world.data.rename(world.data.with_name("renamed.jsonl"))
    assert world.trace(model).status == "proven"
    assert world.trace(moved).status == "proven"


def test_directories_with_the_same_files_under_other_names_are_others(world):
    """The root digest does not bind names; dirHash does."""
    first, second = world.root / "first", world.root / "second"
    for path, names in ((first, ("a.txt", "b.txt")), (second, ("a.txt", "c.txt"))):
        path.mkdir()
        for name, text in zip(names, ("1", "2"), strict=True):
            (path / name).write_text(text)
    provenance.contribute(first, contributor="alice", key=world.key("alice"))
    assert world.trace(first).status == "proven"
    assert world.trace(second).digest == world.trace(first).digest
    assert world.trace(second).status == "missing"


def test_an_update_leads_on_to_its_base(world):
    import numpy as np
    from safetensors.numpy import save_file

    base = world.root / "base.safetensors"
    save_file({"w": np.zeros(2, dtype=np.float32)}, base)
    update = world.root / "update.safetensors"
    save_file({"w": np.ones(2, dtype=np.float32)}, update)
    provenance.contribute(update, contributor="alice", key=world.key("alice"), round="digits@1", base=base)
    assert world.trace(update).status == "missing"
    provenance.sign(base, key=world.key("trainer"))
    found = world.trace(update)
    assert found.status == "proven"
    assert [path.steps[-1].digest for path in found.paths] == [found.digest, world.trace(base).digest]


def test_statements_that_disagree_are_all_followed_and_told(world):
    model = world.usual()
    derive(model, [world.batch("carol")], world.key("curator"))
    found = world.trace(model)
    assert found.status == "proven"
    assert [(each.rule, each.severity) for each in found.findings] == [("LIN008", "warning")]
    assert {path.contributor for path in found.paths} == {"alice", "bob", "carol"}


def test_a_derivation_without_inputs_or_from_itself_tells_nothing(world):
    data = world.file("data.jsonl", "1\n")
    derive(data, [data], world.key("curator"), kind="curate")
    assert world.trace(data).status == "missing"
    provenance.contribute(data, contributor="alice", key=world.key("alice"), records="jsonl")
    assert world.trace(data).status == "proven"


def test_a_round_trip_does_not_hide_the_origin(world):
    """Converted there and back: a circle that has a way out."""
    batch = world.batch("alice")
    other = world.file("other.jsonl", "other\n")
    derive(other, [batch], world.key("curator"), kind="convert")
    derive(batch, [other], world.key("curator"), kind="convert")
    assert world.trace(other).status == "proven"


def test_as_of_asks_the_same_of_a_past_day(world):
    model = world.usual()
    world.revoke("bob", at="2026-06-01")
    assert world.trace(model).decision == "refused"
    assert world.trace(model, as_of="2026-05-31").status == "proven"
    assert rules(world.trace(model, as_of="2026-06-01")) == {"CON011"}
    with pytest.raises(UsageError):
        world.trace(model, as_of="yesterday")


def test_what_cannot_be_asked(world, tmp_path):
    model = world.usual()
    with pytest.raises(Unreadable) as raised:
        world.trace(model, store=tmp_path / "absent")
    assert raised.value.code == "LIN010"
    with pytest.raises((Refused, Undecided)):
        world.trace(tmp_path / "nothing")
    with pytest.raises(Undecided):
        world.trace(model, roster_keys=(), keys=())


def test_the_answer_goes_on(world):
    model = world.usual()
    found = world.trace(world.bob)
    assert [each.name for each in found.impact().tainted] == ["bob.jsonl", "curated.jsonl", "model"]
    other = world.model([world.curated([world.bob, world.batch("carol")], name="other")], name="second")
    differences = world.trace(model).diff(world.trace(other))
    assert [each.name for each in differences.came] == ["carol.jsonl", "other.jsonl"]
    assert [each.name for each in differences.went] == ["alice.jsonl", "curated.jsonl"]
    assert differences.common == 1
