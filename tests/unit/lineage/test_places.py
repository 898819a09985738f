"""Where artifacts lie, as told by the places of statements about them."""

from __future__ import annotations

import os

import pytest

from provenance.lineage.claims import Claim
from provenance.lineage.places import Listings, exists, located, place_of
from provenance.lineage.references import Reference


def said(where) -> Claim:
    return Claim(where=str(where), kind="train")


@pytest.mark.parametrize("holds", [exists, Listings().exists], ids=["looked at", "listed"])
def test_the_path_beside_whose_attestations_a_claim_lies(tmp_path, holds):
    model = tmp_path / "model"
    model.mkdir()
    (model / "weights").touch()
    (model / "broken").symlink_to("nowhere")
    for _ in range(20):
        inside = said(model / ".provenance" / "x.sigstore.json")
        for name, path in (("model", model), ("weights", model / "weights"), ("broken", model / "broken")):
            assert located(inside, Reference(name=name), holds) == str(path)
        for name in ("gone", "", ".", "..", "../model", "x\0"):
            assert place_of(inside, Reference(name=name), holds) is None
        assert located(said(model / "weights.sigstore.json"), Reference(name="w"), holds) == str(
            model / "weights"
        )
        assert place_of(said(model / "gone.sigstore.json"), Reference(name="w"), holds) is None
        assert located(said(model / "model.sig"), Reference(name="any"), holds) == str(model)
        assert place_of(said(model / "other.json"), Reference(name="weights"), holds) is None


def test_a_directory_is_listed_once_it_was_asked_about_often(tmp_path, monkeypatch):
    listings, looked = Listings(), []
    (tmp_path / "there").touch()
    monkeypatch.setattr(os, "access", lambda *_, **__: looked.append(1) or True)
    monkeypatch.setattr(os, "supports_follow_symlinks", {os.access})
    for _ in range(100):
        listings.exists(f"{tmp_path}/", "there")
    assert len(looked) < 10
    assert listings.exists(f"{tmp_path}/", "there")
    assert not listings.exists(f"{tmp_path}/", "gone")


def test_a_directory_of_many_or_none_is_not_listed(tmp_path):
    for number in range(2100):
        (tmp_path / str(number)).touch()
    listings = Listings()
    for directory in (tmp_path, tmp_path / "gone"):
        found = [listings.exists(f"{directory}/", str(number)) for number in range(50)]
        assert found == [directory == tmp_path] * 50
    (tmp_path / "late").touch()
    assert listings.exists(f"{tmp_path}/", "late")
