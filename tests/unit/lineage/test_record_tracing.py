"""One record: back to its contributor with a proof, and forward."""

from __future__ import annotations

import hashlib

import pytest
from lineage_world import World, bundle_of

import provenance
from provenance.errors import UsageError
from provenance.lineage.statements import leaves_path


@pytest.fixture
def world(tmp_path) -> World:
    return World(tmp_path)


def lines_of(path) -> list[str]:
    return path.read_text().splitlines(keepends=True)


def leads_to_the_root(proof, record: bytes) -> bool:
    """RFC 9162, section 2.1.3.2, written anew: what somebody who trusts none of this would write."""
    node, index, last = hashlib.sha256(b"\0" + record).digest(), proof.index, proof.count - 1
    for sibling in map(bytes.fromhex, proof.path):
        if index % 2 or index == last:
            node = hashlib.sha256(b"\1" + sibling + node).digest()
            while index % 2 == 0 and index:
                index, last = index // 2, last // 2
        else:
            node = hashlib.sha256(b"\1" + node + sibling).digest()
        index, last = index // 2, last // 2
    return last == 0 and node.hex() == proof.root


def test_a_record_of_a_batch(world):
    batch = world.batch("alice")
    found = world.trace(batch, record=3)
    assert (found.status, found.exit_status) == ("proven", 0)
    assert (found.record.origin, found.record.contributor, found.record.index) == ("unchanged", "alice", 3)
    assert leads_to_the_root(found.record.proof, lines_of(batch)[3].rstrip("\n").encode())
    assert [step.name for step in found.paths[0].steps] == ["alice.jsonl"]


def test_a_record_of_a_curated_set(world):
    alice, bob = world.batch("alice"), world.batch("bob")
    kept = [*lines_of(alice)[:5:2], *lines_of(bob)[7:]]
    data = world.curated([alice, bob], kept)
    for index, line in enumerate(kept):
        found = world.trace(data, record=index)
        assert found.status == "proven"
        assert found.record.contributor == ("alice" if "alice" in line else "bob")
        assert leads_to_the_root(found.record.proof, line.rstrip("\n").encode())
    assert [step.name for step in found.paths[0].steps] == ["curated.jsonl", "bob.jsonl"]
    assert (found.record.batch, found.record.batch_index) == ("bob.jsonl", 9)


def test_a_record_that_went_through_several_sets(world):
    first = world.curated([world.batch("alice"), world.batch("bob")], name="first")
    second = world.curated([first, world.batch("carol")], lines_of(first)[12:], name="second")
    third = world.curated([second], lines_of(second)[1:3], name="third")
    found = world.trace(third, record=1)
    assert (found.status, found.record.contributor, found.record.batch_index) == ("proven", "bob", 4)
    assert [step.name for step in found.paths[0].steps] == [
        "third.jsonl",
        "second.jsonl",
        "first.jsonl",
        "bob.jsonl",
    ]


def test_an_edited_record_names_the_one_that_it_was_made_from(world):
    alice = world.batch("alice")
    lines = lines_of(alice)
    data = world.curated([alice], [*lines[:4], '{"edited": true}\n', *lines[5:]])
    found = world.trace(data, record=4)
    assert (found.record.origin, found.record.contributor, found.record.batch_index) == ("edited", "alice", 4)
    assert leads_to_the_root(found.record.proof, lines[4].rstrip("\n").encode())
    assert ["LIN017"] == [each.rule for each in found.findings]
    assert found.exit_status == 0


def test_a_record_of_nowhere(world):
    data = world.curated([world.batch("alice")], ["new\n"])
    found = world.trace(data, record=0)
    assert (found.status, found.exit_status, found.record.origin) == ("missing", 3, "unknown")
    assert found.record.proof is None
    with pytest.raises(UsageError, match="counted from 0|none with the index"):
        world.trace(data, record=1)


def test_leaves_suffice_where_the_batch_is_not_here_and_the_batch_where_there_are_no_leaves(world):
    alice = world.batch("alice")
    data = world.curated([alice], lines_of(alice)[5:6])
    leaves = leaves_path(bundle_of(alice, "contribution"))
    moved = leaves.rename(leaves.with_name("away"))
    assert world.trace(data, record=0).status == "proven"
    alice.rename(alice.with_name("away.jsonl"))
    found = world.trace(data, record=0)
    assert (found.status, found.record.contributor, found.exit_status) == ("missing", "alice", 3)
    moved.rename(leaves)
    assert world.trace(data, record=0).status == "proven"


def test_salted_records_are_proven_with_their_salts(world):
    alice = world.file("alice.jsonl", world.records("alice"))
    provenance.contribute(alice, contributor="alice", key=world.key("alice"), records="jsonl", salted=True)
    data = world.curated([alice], lines_of(alice)[2:3])
    found = world.trace(data, record=0)
    assert (found.status, found.record.origin, found.record.contributor) == ("proven", "unchanged", "alice")
    assert leads_to_the_root(
        found.record.proof, bytes.fromhex(found.record.proof.salt) + lines_of(data)[0].rstrip("\n").encode()
    )
    alice.with_name("alice.jsonl.salts").unlink()
    found = world.trace(data, record=0)
    assert (found.status, found.record.origin, found.exit_status) == ("missing", "unknown", 3)


def test_who_is_revoked_is_named_all_the_same(world):
    data = world.curated([world.batch("alice"), world.batch("bob")])
    world.revoke("bob")
    assert world.trace(data, record=0).status == "proven"
    found = world.trace(data, record=10)
    assert (found.status, found.decision, found.record.contributor) == ("asserted", "refused", "bob")


def test_a_strangers_batch_is_asserted(world):
    data = world.curated([world.batch("mallory", signer="stranger")])
    found = world.trace(data, record=0)
    assert (found.status, found.decision) == ("asserted", "refused")
    assert found.record.contributor == "mallory"


def test_impact_of_one_record_finds_what_holds_it_and_nothing_else(world):
    alice, bob = world.batch("alice"), world.batch("bob")
    lines = lines_of(alice)
    holds = world.curated([alice, bob], [*lines[:3], *lines_of(bob)], name="holds")
    world.model([holds], name="tainted")
    without = world.curated([alice, bob], [*lines[4:], *lines_of(bob)], name="without")
    world.model([without], name="clean")
    deeper = world.curated([holds], lines[1:2], name="deeper")
    world.model([deeper], name="deep")
    names = [each.name for each in world.impact(alice, record=2).tainted]
    assert names == ["alice.jsonl", "holds.jsonl", "tainted"]
    names = [each.name for each in world.impact(alice, record=1).tainted]
    assert names == ["alice.jsonl", "holds.jsonl", "deeper.jsonl", "tainted", "deep"]


def test_impact_of_a_contributor_leaves_out_what_took_no_record(world):
    alice, bob = world.batch("alice"), world.batch("bob")
    filtered = world.curated([alice, bob], lines_of(alice), name="filtered")
    world.model([filtered], name="clean")
    both = world.curated([alice, bob], name="both")
    world.model([both], name="tainted")
    names = [each.name for each in world.impact(contributor="bob").tainted]
    assert names == ["bob.jsonl", "both.jsonl", "tainted"]


def test_a_count_that_nobody_accepted_signed_leaves_nothing_out(world):
    alice, bob = world.batch("alice"), world.batch("bob")
    world.curated([alice, bob], lines_of(alice), name="filtered", key="stranger")
    names = [each.name for each in world.impact(contributor="bob").tainted]
    assert names == ["bob.jsonl", "filtered.jsonl"]


def test_impact_of_a_key_and_of_a_digest(world):
    model = world.usual()
    found = world.impact(revoked_key=world.pub("curator"))
    assert [each.name for each in found.tainted] == ["curated.jsonl", "model"]
    found = world.impact(revoked_key=world.pub("stranger"))
    assert found.tainted == ()
    digest = world.trace(world.bob).digest
    found = provenance.impact(f"sha256:{digest}", store=world.root)
    assert [each.name for each in found.tainted] == ["bob.jsonl", "curated.jsonl", "model"]
    assert found.tainted[2].path == str(model)
    assert found.tainted[2].via == ("bob.jsonl", "curated.jsonl", "model")


@pytest.mark.parametrize("options", [{}, {"contributor": "bob", "revoked_key": "x"}])
def test_one_thing_is_asked_for(world, options):
    with pytest.raises(UsageError):
        world.impact(**options)
    with pytest.raises(UsageError):
        world.impact(world.root / "model", contributor="bob")
    with pytest.raises(UsageError):
        provenance.impact("sha256:xyz", store=world.root)
