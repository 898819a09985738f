"""Several bundles beside one artifact: which must hold, which may be left out, and what is said of them."""

import os

import pytest

import provenance
from provenance.signing.keys import generate, write_key_pair
from provenance.signing.sign import sign


@pytest.fixture
def model(tmp_path):
    directory = tmp_path / "model"
    directory.mkdir()
    (directory / "notes.txt").write_text("some words\n")
    return directory


@pytest.fixture
def pair(tmp_path):
    def make(name):
        return tmp_path / name, write_key_pair(tmp_path / name, generate("ed25519"))

    return make


def rules(check):
    return sorted({found.rule for found in check.findings if found.severity != "note"})


@pytest.mark.parametrize("damage", ["garbage", "fifo", "link", "flipped"])
def test_a_damaged_additional_bundle_is_told_and_does_not_count(model, pair, damage):
    key, public = pair("k")
    sign(model, key=key)
    extra = sign(model, key=key, add=True)
    if damage == "flipped":
        content = extra.read_bytes()
        extra.write_bytes(content.replace(b'"sig":"', b'"sig":"AAAA'))
    else:
        extra.unlink()
        if damage == "garbage":
            extra.write_bytes(b"junk")
        elif damage == "fifo":
            os.mkfifo(extra)
        else:
            extra.symlink_to(model / "model.sig")
    check = provenance.verify(model, keys=public)
    assert check.decision == "accepted"
    assert rules(check) == ["SIG019"]
    assert [found.path for found in check.findings] == [str(extra)]


def test_a_damaged_bundle_that_must_hold_is_refused_whatever_lies_beside_it(model, pair):
    key, public = pair("k")
    sign(model, key=key, add=True)
    (model / "model.sig").write_bytes(b"junk")
    assert provenance.verify(model, keys=public).decision == "refused"


def test_a_strangers_bundle_beside_an_accepted_one_is_only_told(model, pair):
    stranger, _ = pair("stranger")
    key, public = pair("k")
    sign(model, key=stranger)
    sign(model, key=key, add=True)
    check = provenance.verify(model, keys=public)
    assert (check.decision, rules(check)) == ("accepted", ["SIG019"])


def test_only_stored_bundles_are_enough(model, pair):
    key, public = pair("k")
    other, _ = pair("other")
    sign(model, key=other, add=True)
    sign(model, key=key, add=True)
    assert provenance.verify(model, keys=public).decision == "accepted"
    assert provenance.verify(model, keys=pair("third")[1]).decision == "refused"


def test_what_else_hides_in_the_directory_of_attestations_is_unsigned(model, pair):
    key, public = pair("k")
    sign(model, key=key)
    sign(model, key=key, add=True)
    assert rules(provenance.verify(model, keys=public)) == []
    (model / ".provenance" / "payload.txt").write_text("words\n")
    check = provenance.verify(model, keys=public)
    assert (check.decision, rules(check)) == ("refused", ["SIG005"])
