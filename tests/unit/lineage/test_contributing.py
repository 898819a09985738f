"""The verb ``contribute``: what it signs, where it writes, what it refuses."""

from __future__ import annotations

import hashlib
import stat
from datetime import UTC, datetime

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import save_file

import provenance
from cli.commands import contribute as command
from provenance.artifacts.merkle import fold, leaf_hash
from provenance.artifacts.records.cutting import CUT_FORMATS
from provenance.attestations.contribution import read_contribution
from provenance.errors import Malformed, Refused, Undecided, UsageError
from provenance.lineage.contributing import parse_round
from provenance.lineage.record_checks import verify_records
from provenance.lineage.record_salts import salts_path
from provenance.lineage.statements import leaves_path, open_statement, trust_of_keys
from provenance.lineage.subjects import subject_of

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def give(key):
    def contribute(path, **options):
        return provenance.contribute(path, contributor="alice", key=key, now=NOW, **options)

    return contribute


@pytest.fixture
def opened(public):
    def read(bundle):
        signed = open_statement(bundle, trust_of_keys([public]))
        return signed, read_contribution(signed.statement)

    return read


@pytest.fixture
def batch(tmp_path):
    path = tmp_path / "batch.jsonl"
    path.write_bytes(b'{"a": 1}\n{"a": 2}\n{"a": 3}')
    return path


def test_a_batch_is_signed_with_all_that_was_said(batch, give, opened):
    bundle = give(
        batch,
        records="jsonl",
        licence="CC-BY-4.0",
        consent="DPA-7",
        collected_from="2026-01-01",
        collected_until="2026-02-01",
        generation="by hand",
    )
    assert bundle.parent == batch.parent / ".provenance"
    assert bundle.name.startswith("batch.jsonl.contribution.")
    signed, contribution = opened(bundle)
    assert signed.statement.subject == (subject_of(batch),)
    root = fold([b"".join(leaf_hash(line) for line in batch.read_bytes().split(b"\n"))]).root
    assert signed.statement.predicate == {
        "contributor": "alice",
        "kind": "records",
        "createdAt": "2026-11-24T12:00:00Z",
        "records": {
            "format": "jsonl",
            "leafRule": "jsonl-raw/1",
            "treeAlgorithm": "rfc6962-sha256",
            "count": 3,
            "merkleRoot": root.hex(),
        },
        "licence": "CC-BY-4.0",
        "consent": "DPA-7",
        "collectedFrom": "2026-01-01",
        "collectedUntil": "2026-02-01",
        "generation": "by hand",
    }
    check = verify_records(batch, contribution, subject=signed.statement.subject[0])
    assert (check.decision, check.exit_status, check.count) == ("accepted", 0, 3)
    assert check.subject == subject_of(batch)


def test_the_leaves_lie_beside_the_bundle(batch, give):
    bundle = give(batch, records="jsonl", leaves=True)
    assert leaves_path(bundle).read_bytes() == b"".join(
        leaf_hash(each) for each in batch.read_bytes().split(b"\n")
    )


def test_files_are_records_where_no_format_is_named(tmp_path, give, opened):
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("b.png", "a.png"):
        (folder / name).write_bytes(name.encode())
    _, contribution = opened(give(folder))
    assert contribution.records.leaf_rule == "file/1"
    leaves = [leaf_hash(hashlib.sha256(name).digest()) for name in (b"a.png", b"b.png")]
    assert contribution.records.merkle_root == fold([b"".join(leaves)]).root.hex()
    assert verify_records(folder, contribution).decision == "accepted"
    _, single = opened(give(folder / "a.png"))
    assert single.records.merkle_root == leaves[0].hex()


def test_a_directory_has_its_records_in_the_order_of_its_files(tmp_path, give, opened):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "part-1.jsonl").write_text("c\nd\n")
    (folder / "part-0.jsonl").write_text("a\nb")
    (folder / "README.md").write_text("\n\nnot a record\n")
    signed, contribution = opened(give(folder, records="jsonl"))
    assert contribution.records.count == 4
    leaves = b"".join(leaf_hash(each) for each in (b"a", b"b", b"c", b"d"))
    assert contribution.records.merkle_root == fold([leaves]).root.hex()
    assert signed.statement.subject == (subject_of(folder),)
    assert verify_records(folder, contribution, subject=signed.statement.subject[0]).decision == "accepted"
    with pytest.raises(Malformed, match="no file in"):
        give(folder, records="csv")


def test_one_header_stands_above_all_files(tmp_path, give, opened):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "0.csv").write_text("a,b\n1,2\n")
    (folder / "1.csv").write_text("a,b\n3,4\n")
    _, contribution = opened(give(folder, records="csv"))
    assert (contribution.records.header, contribution.records.count) == ("a,b", 2)
    (folder / "1.csv").write_text("b,a\n3,4\n")
    with pytest.raises(Malformed, match="another header"):
        give(folder, records="csv")


def test_a_parquet_file(tmp_path, give, opened):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": list(range(5000))}), path)
    _, contribution = opened(give(path, records="parquet"))
    assert contribution.records.count == 5000
    assert verify_records(path, contribution).decision == "accepted"
    pq.write_table(pa.table({"b": list(range(5000))}), path)
    check = verify_records(path, contribution)
    assert [found.rule for found in check.findings] == ["CON017"]


def test_an_empty_batch_is_a_batch(tmp_path, give, opened):
    (tmp_path / "empty.jsonl").write_bytes(b"")
    _, contribution = opened(give(tmp_path / "empty.jsonl", records="jsonl"))
    assert contribution.records.count == 0
    assert contribution.records.merkle_root == hashlib.sha256().hexdigest()
    assert verify_records(tmp_path / "empty.jsonl", contribution).decision == "accepted"


def test_salted_records_need_their_salts(batch, give, opened, tmp_path):
    _, contribution = opened(give(batch, records="jsonl", salted=True))
    kept = salts_path(batch)
    assert kept == batch.parent / "batch.jsonl.salts"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert len(kept.read_bytes()) == 3 * 16
    assert contribution.records.salted
    assert verify_records(batch, contribution).decision == "accepted"
    moved = kept.rename(tmp_path / "elsewhere")
    check = verify_records(batch, contribution)
    assert (check.decision, check.findings[0].rule) == ("undecided", "CON020")
    assert verify_records(batch, contribution, salts=moved).decision == "accepted"
    for wrong in (moved.read_bytes()[:-1], moved.read_bytes() + b"x", bytes(48)):
        moved.write_bytes(wrong)
        check = verify_records(batch, contribution, salts=moved)
        assert (check.decision, check.findings[0].rule) == ("refused", "CON014")


def test_salts_are_never_overwritten(batch, give):
    give(batch, records="jsonl", salted=True)
    before = salts_path(batch).read_bytes()
    with pytest.raises(UsageError, match="exists already"):
        give(batch, records="jsonl", salted=True)
    assert salts_path(batch).read_bytes() == before


def test_a_batch_that_cannot_be_cut_leaves_nothing_behind(batch, give, tmp_path):
    batch.write_bytes(b"a\r\n")
    with pytest.raises(Malformed):
        give(batch, records="jsonl", salted=True, leaves=True)
    assert sorted(each.name for each in tmp_path.rglob("*") if each.is_file()) == ["batch.jsonl"]


@pytest.fixture
def update(tmp_path):
    save_file({"w": np.zeros(4, dtype=np.float32)}, tmp_path / "update.safetensors")
    save_file({"w": np.ones(4, dtype=np.float32)}, tmp_path / "base.safetensors")
    return tmp_path / "update.safetensors"


def test_an_update_names_its_round_and_its_base(update, give, opened):
    base = update.with_name("base.safetensors")
    signed, contribution = opened(
        give(update, round="digits@12", base=base, update="delta", claimed_weight=9.5)
    )
    assert signed.statement.predicate["update"] == {
        "task": "digits",
        "round": 12,
        "base": {"sha256": subject_of(base).digest["sha256"]},
        "form": "delta",
        "claimedWeight": 9.5,
    }
    assert contribution.kind == "update"
    digest = f"sha256:{'a' * 64}"
    assert opened(give(update, round="digits@12", base=digest))[1].update.base.sha256 == "a" * 64
    assert opened(give(update, round="digits@12", base=digest))[1].update.form == "weights"
    with pytest.raises(UsageError, match="no records"):
        verify_records(update, contribution)


@pytest.mark.parametrize(
    "options",
    [
        {"round": "digits"},
        {"round": "digits@-1", "base": "sha256:" + "a" * 64},
        {"round": "di/gits@1", "base": "sha256:" + "a" * 64},
        {"round": "digits@99999999999", "base": "sha256:" + "a" * 64},
        {"round": "digits@9999999999", "base": "sha256:" + "a" * 64},
        {"round": "digits@1"},
        {"round": "digits@1", "base": "sha256:" + "a" * 64, "records": "jsonl"},
        {"round": "digits@1", "base": "sha256:" + "a" * 64, "leaves": True},
        {"round": "digits@1", "base": "sha256:" + "a" * 64, "claimed_weight": float("nan")},
        {"round": "digits@1", "base": "sha256:" + "a" * 64, "claimed_weight": float("inf")},
        {"base": "sha256:" + "a" * 64},
        {"update": "delta"},
        {"records": "xml"},
        {"salts": "x"},
        {"licence": "MIT;"},
        {"collected_from": "yesterday"},
    ],
)
def test_options_that_do_not_fit_are_wrong_use(update, give, options):
    with pytest.raises(UsageError):
        give(update, **options)
    assert not list(update.parent.rglob("*.sigstore.json"))


def test_an_update_is_safetensors(tmp_path, give):
    (tmp_path / "update.bin").write_bytes(b"\x80\x04.")
    base = "sha256:" + "a" * 64
    with pytest.raises(Refused):
        give(tmp_path / "update.bin", round="a@1", base=base)
    with pytest.raises(Undecided):
        give(tmp_path / "absent", round="a@1", base=base)
    with pytest.raises(UsageError):
        (tmp_path / "empty").mkdir()
        give(tmp_path / "empty", round="a@1", base=base)


def test_an_id_is_a_plain_name(batch, key):
    for wrong in ("", "../alice", "alice\n", "a" * 65):
        with pytest.raises(UsageError):
            provenance.contribute(batch, contributor=wrong, key=key)


def test_an_artifact_with_contributions_verifies_as_before(model, key, public, give):
    (model / "data.jsonl").write_text("a\nb\n")
    provenance.sign(model, key=key)
    give(model, leaves=True)
    give(model / "data.jsonl", records="jsonl", leaves=True)
    check = provenance.verify(model, keys=[public])
    assert (check.decision, check.findings) == ("accepted", ())


def test_an_unknown_rule_is_undecided(batch, give, opened):
    _, contribution = opened(give(batch, records="jsonl"))
    records = msgspec.structs.replace(contribution.records, leaf_rule="jsonl-raw/2")
    check = verify_records(batch, msgspec.structs.replace(contribution, records=records))
    assert (check.decision, check.exit_status, check.findings[0].rule) == ("undecided", 3, "CON019")


def test_what_is_not_there_is_undecided(batch, give, opened):
    _, contribution = opened(give(batch, records="jsonl"))
    batch.unlink()
    assert verify_records(batch, contribution).decision == "undecided"


def test_rounds():
    assert parse_round("digits@12") == ("digits", 12)
    with pytest.raises(UsageError):
        parse_round("digits")


def test_the_command_offers_the_formats_of_the_library():
    assert command.FORMATS == CUT_FORMATS
