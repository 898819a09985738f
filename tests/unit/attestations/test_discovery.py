"""Finding bundles: the order of places, and what may lie there."""

import base64
import json
import os
import time

import pytest

from provenance.attestations import discovery
from provenance.attestations.discovery import default_bundle_path, find_bundles, read_bundle, stored_bundles
from provenance.errors import Malformed, Unreadable


@pytest.fixture
def model(tmp_path):
    directory = tmp_path / "model"
    (directory / ".provenance").mkdir(parents=True)
    (directory / "w.bin").write_bytes(b"w")
    return directory


def names(sources):
    return [os.path.basename(source.where) for source in sources]


def test_default_places(model):
    assert default_bundle_path(model) == model / "model.sig"
    assert default_bundle_path(model / "w.bin") == model / "w.bin.sigstore.json"
    assert default_bundle_path(model / "absent.bin") == model / "absent.bin.sigstore.json"


def test_nothing_found_is_undecided(model):
    with pytest.raises(Unreadable) as caught:
        find_bundles(model)
    assert caught.value.code == "SIG001"


@pytest.mark.parametrize("path", ["w.bin", "."])
def test_each_place_counts_only_where_none_before_it_exists(model, monkeypatch, path):
    monkeypatch.chdir(model)
    artifact = type(model)(path)
    (model / ".provenance" / "extra.sigstore.json").write_bytes(b"stored")
    (model / ".provenance" / "more.sigstore.json").write_bytes(b"stored")
    assert find_bundles(artifact).primary == ()
    assert names(find_bundles(artifact).additional) == ["extra.sigstore.json", "more.sigstore.json"]
    (model / "model.sig").write_bytes(b"directory")
    assert [source.data for source in find_bundles(artifact).primary] == [b"directory"]
    (model / "w.bin.sigstore.json").write_bytes(b"file")
    wanted = b"file" if path == "w.bin" else b"directory"
    found = find_bundles(artifact)
    assert [source.data for source in found.primary] == [wanted]
    assert names(found.additional) == ["extra.sigstore.json", "more.sigstore.json"]
    given = model / "given"
    given.write_bytes(b"given")
    found = find_bundles(artifact, signature=given)
    assert ([source.data for source in found.primary], found.additional) == ([b"given"], ())


def test_one_stored_bundle_alone_is_the_bundle(model):
    (model / ".provenance" / "only.sigstore.json").write_bytes(b"x")
    found = find_bundles(model)
    assert (names(found.primary), found.additional) == (["only.sigstore.json"], ())


def test_a_bundle_of_a_sibling_or_beside_the_directory_is_not_taken(model):
    (model / "v.bin.sigstore.json").write_bytes(b"x")
    (model.parent / "model.sigstore.json").write_bytes(b"x")
    for artifact in (model, model / "w.bin"):
        with pytest.raises(Unreadable):
            find_bundles(artifact)


@pytest.mark.parametrize("path", ["given", "model.sig"])
def test_a_named_bundle_that_is_absent_is_undecided(tmp_path, path):
    with pytest.raises(Unreadable) as caught:
        read_bundle(tmp_path / path)
    assert caught.value.code == "SIG001"


def test_a_dangling_link_is_no_reason_to_look_elsewhere(model):
    (model / "model.sig").symlink_to("nowhere")
    (model / ".provenance" / "only.sigstore.json").write_bytes(b"x")
    with pytest.raises(Unreadable):
        find_bundles(model)


def test_what_is_no_file_is_unreadable_and_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "directory").mkdir()
    started = time.monotonic()
    for name in ("fifo", "directory"):
        with pytest.raises(Unreadable) as caught:
            read_bundle(tmp_path / name)
        assert caught.value.code == "SIG009"
    assert time.monotonic() - started < 5


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_bundle_without_permission_is_unreadable(tmp_path):
    (tmp_path / "b").write_bytes(b"x")
    (tmp_path / "b").chmod(0)
    with pytest.raises(Unreadable) as caught:
        read_bundle(tmp_path / "b")
    assert caught.value.code == "SIG009"


def test_a_bundle_that_is_too_large_is_malformed(tmp_path, monkeypatch):
    monkeypatch.setattr(discovery, "MAX_BUNDLE_BYTES", 10)
    (tmp_path / "b").write_bytes(b"x" * 10)
    assert read_bundle(tmp_path / "b").data == b"x" * 10
    (tmp_path / "b").write_bytes(b"x" * 11)
    with pytest.raises(Malformed) as caught:
        read_bundle(tmp_path / "b")
    assert caught.value.code == "SIG008"


def test_each_line_with_verification_material_is_a_bundle(tmp_path):
    bundle, envelope = (
        b'{"verificationMaterial": {}}',
        b'{"payload": "", "payloadType": "", "signatures": []}',
    )
    (tmp_path / "s.jsonl").write_bytes(bundle + b"\n" + envelope + b"\n\n" + bundle + b"\r\n")
    (tmp_path / "notes.txt").write_bytes(bundle)
    (tmp_path / "s.leaves").write_bytes(bundle)
    (tmp_path / "a.sigstore.json").write_bytes(b"anything")
    sources = list(stored_bundles(tmp_path))
    assert names(sources) == ["a.sigstore.json", "s.jsonl:1", "s.jsonl:4"]
    assert [source.data.strip() for source in sources] == [b"anything", bundle, bundle]


def test_no_link_is_followed_into_or_inside_of_a_store(tmp_path):
    outside, store = tmp_path / "outside", tmp_path / "store"
    outside.mkdir()
    store.mkdir()
    (outside / "x.sigstore.json").write_bytes(b"secret")
    (store / "link.sigstore.json").symlink_to(outside / "x.sigstore.json")
    (store / "good.sigstore.json").write_bytes(b"good")
    os.mkfifo(store / "fifo.sigstore.json")
    (store / "dir.sigstore.json").mkdir()
    sources = {os.path.basename(source.where): source for source in stored_bundles(store)}
    assert sources.pop("good.sigstore.json").data == b"good"
    assert set(sources) == {"link.sigstore.json", "fifo.sigstore.json", "dir.sigstore.json"}
    assert all(not source.data and source.problem.code == "SIG009" for source in sources.values())
    (tmp_path / "linked").symlink_to(store)
    (only,) = stored_bundles(tmp_path / "linked")
    assert only.problem.code == "SIG009"


def test_statements_of_another_kind_are_no_signatures(model):
    def bundle(statement):
        payload = base64.b64encode(statement).decode()
        return json.dumps({"dsseEnvelope": {"payload": payload}, "verificationMaterial": {}}).encode()

    store = model / ".provenance"
    (store / "made.sigstore.json").write_bytes(bundle(b'{"predicateType": "https://slsa.dev/provenance/v1"}'))
    with pytest.raises(Unreadable) as caught:
        find_bundles(model)
    assert caught.value.code == "SIG001"
    kept = {
        "signature": bundle(b'{"predicateType": "https://model_signing/signature/v1.0"}'),
        "old": bundle(b'{"predicateType": "https://model_signing/Digests/v0.1"}'),
        "broken": bundle(b"{"),
        "untyped": bundle(b"{}"),
        "deep": bundle(b'{"a":' + b"[" * 5000),
        "encoded": b'{"dsseEnvelope": {"payload": "*"}}',
        "garbage": b"\xff",
    }
    for name, data in kept.items():
        (store / f"{name}.sigstore.json").write_bytes(data)
    assert names(find_bundles(model).additional) == sorted(f"{name}.sigstore.json" for name in kept)


def test_a_store_is_bounded_in_files_and_bytes(tmp_path, monkeypatch):
    for index in range(5):
        (tmp_path / f"{index}.sigstore.json").write_bytes(b"x" * 10)
    assert len(list(stored_bundles(tmp_path))) == 5
    for limit, value in (("MAX_BUNDLES", 3), ("MAX_STORE_BYTES", 35)):
        with monkeypatch.context() as patch:
            patch.setattr(discovery, limit, value)
            *good, last = stored_bundles(tmp_path)
            assert len(good) == 3
            assert last.problem.code == "SIG009"


def test_a_store_that_does_not_exist_holds_nothing(tmp_path):
    assert list(stored_bundles(tmp_path / "none")) == []
    (tmp_path / "file").write_bytes(b"")
    (only,) = stored_bundles(tmp_path / "file")
    assert only.problem.code == "SIG009"
