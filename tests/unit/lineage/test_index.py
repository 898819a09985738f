"""The index: what changed is read again, what is gone is forgotten, and keys that come later verify what was read."""

from __future__ import annotations

import os
import shutil
import weakref
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lineage_world import World, bundle_of, statements_of

from provenance.lineage.claims import Claim, Input
from provenance.lineage.finding import find_statements, places_in
from provenance.lineage.index import Statements
from provenance.lineage.index_file import index_path, load_index, save_index
from provenance.lineage.packing import KeptInputs, pack_claim, pack_inputs, unpack_claim
from provenance.lineage.references import Reference, reference_to, same_artifact
from provenance.lineage.subjects import subject_of
from provenance.signing.statements import keyring, trust_of_keys


@pytest.fixture
def world(tmp_path) -> World:
    found = World(tmp_path)
    found.usual()
    return found


def ring(world, *names):
    return keyring(trust_of_keys([world.pub(name) for name in names]))


def about(statements, path) -> list[Claim]:
    return [each.claim for each in statements.about([reference_to(subject_of(path))])]


@pytest.fixture(autouse=True)
def settled(monkeypatch):
    monkeypatch.setattr("provenance.lineage.index._SETTLED", -(10**18))


def test_statements_are_found_by_what_they_are_about(world):
    statements = Statements()
    assert statements.refresh(places_in([world.root]), ring(world, "alice"))
    (claim,) = about(statements, world.alice)
    assert (claim.kind, claim.contributor, claim.licence, claim.records) == (
        "contribution",
        "alice",
        "CC-BY-4.0",
        10,
    )
    assert claim.signer.startswith("SHA256:")
    used = statements.using([reference_to(subject_of(world.alice))])
    assert [each.claim.kind for each in used] == ["curate"]
    assert used[0].claim.inputs[used[0].position].taken == 10


def test_nothing_is_read_again_that_did_not_change(world):
    statements = Statements()
    statements.refresh(places_in([world.root]), ring(world))
    count = len(statements)
    assert statements.refresh(places_in([world.root]), ring(world)) == 0
    bundle = bundle_of(world.bob, "contribution")
    bundle.write_bytes(bundle.read_bytes())
    assert statements.refresh(places_in([world.root]), ring(world)) == 1
    bundle.unlink()
    assert statements.refresh(places_in([world.root]), ring(world)) == 1
    assert len(statements) == count - 1
    assert about(statements, world.bob) == []


def test_a_key_that_comes_later_verifies_what_was_read(world):
    statements = Statements()
    statements.refresh(places_in([world.root]), ring(world))
    assert about(statements, world.alice)[0].signer == ""
    assert statements.refresh(places_in([world.root]), ring(world, "alice"))
    assert about(statements, world.alice)[0].signer != ""
    assert statements.refresh(places_in([world.root]), ring(world, "alice")) == 0


def test_what_a_later_key_did_not_sign_is_forged(world):
    from lineage_world import payload_of, with_payload

    bundle = bundle_of(world.alice, "contribution")
    payload = payload_of(bundle)
    payload["predicate"]["contributor"] = "bob"
    with_payload(bundle, payload)
    statements = Statements()
    statements.refresh(places_in([world.root]), ring(world))
    assert statements.forged() == []
    statements.refresh(places_in([world.root]), ring(world, "alice"))
    assert [each.where for each in statements.forged()] == [str(bundle)]


def test_an_index_is_kept_and_read_under_its_seal(world):
    statements = Statements()
    statements.refresh(places_in([world.root]), ring(world, "alice"))
    path = index_path([str(world.root)])
    save_index(path, statements)
    kept = load_index(path)
    assert len(kept) == len(statements)
    assert about(kept, world.alice) == about(statements, world.alice)
    assert kept.refresh(places_in([world.root]), ring(world, "alice")) == 0
    assert path.stat().st_mode & 0o077 == 0


def test_another_users_key_of_the_seal_is_not_used(world):
    statements = Statements()
    statements.refresh(places_in([world.root]), ring(world))
    path = index_path([str(world.root)])
    save_index(path, statements)
    (Path(os.environ["XDG_STATE_HOME"]) / "provenance" / "index.key").chmod(0o644)
    assert len(load_index(path)) == 0


def test_where_nothing_can_be_written_nothing_is_kept(world, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    save_index(index_path([str(world.root)]), Statements())


def test_lines_of_a_bundle_are_found_one_by_one(world):
    folder = world.root / "many" / ".provenance"
    folder.mkdir(parents=True)
    bundles = sorted(world.root.glob("*/.provenance/*.sigstore.json"))
    (folder / "all.jsonl").write_bytes(b"\n".join(each.read_bytes() for each in bundles))
    for each in bundles:
        each.unlink()
    assert len(list(find_statements([world.root]))) >= len(bundles)
    assert world.trace(world.data).status == "proven"
    assert world.trace(world.alice, record=1).record.contributor == "alice"


def test_data_are_not_taken_for_statements(world):
    (world.root / "alice" / "more.jsonl").write_text('{"verificationMaterial": 1}\n')
    assert all(
        ".provenance" in place.path or not place.path.endswith(".jsonl") for place in places_in([world.root])
    )


def test_one_file_may_be_a_store(world):
    bundle = bundle_of(world.alice, "contribution")
    shutil.move(bundle, world.root / "moved.sigstore.json")
    found = world.trace(world.alice, store=world.root / "moved.sigstore.json")
    assert found.status == "proven"


HEX = st.integers(0, 2**256 - 1).map(lambda number: f"{number:064x}")
OPTIONAL = st.one_of(st.just(""), HEX)


@st.composite
def references(draw):
    name, kind = draw(st.text("aä/", max_size=8)), draw(st.sampled_from(["name", "bare", "full"]))
    if kind == "name":
        return Reference(name=name)
    sha256 = draw(HEX)
    if kind == "bare":
        return Reference(sha256, "", sha256, bare=True, name=name)
    return Reference(sha256, draw(OPTIONAL), draw(OPTIONAL), name=name)


@given(
    st.lists(references(), max_size=3),
    st.lists(st.tuples(references(), st.text("ab", max_size=4)), max_size=3),
)
def test_claims_are_packed_without_loss(subjects, inputs):
    claim = Claim(
        where="x",
        kind="train",
        subjects=tuple(subjects),
        inputs=tuple(Input(reference, role, "u", 3) for reference, role in inputs),
        licence="MIT",
    )
    inputs = KeptInputs(lambda _: pack_inputs(claim.inputs), 1)
    assert unpack_claim(pack_claim(claim), inputs) == claim


@given(references(), references())
def test_references_join_both_ways_and_only_under_a_common_key(one, other):
    assert same_artifact(one, other) == same_artifact(other, one)
    if one.node:
        assert same_artifact(one, one)
    if same_artifact(one, other):
        assert (set(one.asked_keys()) & set(other.keys)) or one.name == other.name
        assert (set(other.asked_keys()) & set(one.keys)) or one.name == other.name


def test_packed_inputs_are_a_sequence_like_any_other():
    inputs = tuple(Input(Reference(name=f"n{number}"), "r", "u", number) for number in range(4))
    packed = KeptInputs(lambda _: pack_inputs(inputs), 1)
    assert (len(packed), packed[0], packed[3], packed[-1], packed[-4]) == (
        4,
        *(inputs[n] for n in (0, 3, 3, 0)),
    )
    assert packed[1:3] == inputs[1:3]
    assert packed == inputs
    assert packed != inputs[:3]
    assert hash(packed) == hash(inputs)
    for beyond in (4, -5):
        with pytest.raises(IndexError):
            packed[beyond]


def test_half_a_digest_in_common_does_not_join():
    half = "a" * 32
    one, other = Reference(half + "b" * 32, "", "1" * 64), Reference(half + "c" * 32, "", "2" * 64)
    assert set(one.asked_keys()) & set(other.keys)
    assert not same_artifact(one, other)


def test_what_is_found_does_not_come_in_the_order_in_which_it_was_read():
    source = Reference("a" * 64, "b" * 64, name="source")
    claims = [
        Claim(where=f"{number}", kind="train", subjects=(source,), inputs=(Input(source, "r", "u", number),))
        for number in range(5)
    ]
    for order in (claims, claims[::-1]):
        statements = statements_of(order)
        assert [met.claim.where for met in statements.using([source])] == ["0", "1", "2", "3", "4"]
        assert [met.claim.where for met in statements.about([source])] == ["0", "1", "2", "3", "4"]
        assert [met.used.taken for met in statements.using([source])] == [0, 1, 2, 3, 4]


def test_a_claim_outlives_its_index_and_does_not_keep_it_for_ever():
    inputs = (Input(Reference(name="one"), "r"), Input(Reference(name="two")))
    index = weakref.ref(statements := statements_of([Claim(where="x", kind="train", inputs=inputs)]))
    connection = weakref.ref(statements._kept)
    (claim,) = statements.of_kind("train")
    del statements
    assert index() is None
    assert connection() is not None
    assert claim.inputs == inputs
    assert connection() is None
    assert claim.inputs[1] == inputs[1]
