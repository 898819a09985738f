"""Proofs of single records: made from the data or the leaves, checked here and by ten lines of plain Python."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

import provenance
from provenance.attestations.contribution import read_contribution
from provenance.errors import Malformed, Refused, Undecided, UsageError
from provenance.lineage.record_proofs import (
    encode_proof,
    parse_proof,
    prove_record,
    record_tree,
    verify_proof,
)
from provenance.lineage.statements import leaves_path, open_statement, trust_of_keys

# What somebody writes who trusts none of our code.
SCRIPT = Path(__file__).parents[3] / "examples" / "check_proof.py"


def contribution_of(bundle, public):
    return read_contribution(open_statement(bundle, trust_of_keys([public])).statement)


@pytest.fixture(params=[False, True], ids=["plain", "salted"])
def given(tmp_path, key, public, request):
    path = tmp_path / "batch.jsonl"
    path.write_bytes(b"".join(b'{"n": %d}\n' % at for at in range(1000)))
    bundle = provenance.contribute(
        path, contributor="alice", key=key, records="jsonl", leaves=True, salted=request.param
    )
    return path, bundle, contribution_of(bundle, public)


@pytest.mark.parametrize("index", [0, 1, 511, 512, 998, 999])
def test_a_record_is_proven_and_a_script_agrees(given, tmp_path, index):
    path, _, contribution = given
    proof = prove_record(path, index, contribution)
    assert verify_proof(proof, contribution) is None
    assert verify_proof(proof, contribution, record=b'{"n": %d}' % index) is None
    assert verify_proof(proof, contribution, record=b'{"n": %d}' % (index + 1)).rule == "CON018"
    assert parse_proof(encode_proof(proof)) == proof
    (tmp_path / "proof.json").write_bytes(encode_proof(proof))
    check = [sys.executable, SCRIPT, tmp_path / "proof.json", contribution.records.merkle_root]
    assert subprocess.run(check, check=False).returncode == 0
    document = json.loads(encode_proof(proof))
    document["record"] = "AAAA"
    (tmp_path / "proof.json").write_text(json.dumps(document))
    assert subprocess.run(check, check=False).returncode == 1


def test_the_leaves_are_enough_for_a_proof(given):
    path, bundle, contribution = given
    tree = record_tree(leaves_path(bundle), contribution)
    proof = tree.prove(7)
    assert proof.record is None
    assert verify_proof(proof, contribution) is None
    whole = prove_record(path, 7, contribution)
    assert msgspec.structs.replace(whole, record=None, salt=None) == proof
    assert record_tree(path, contribution).tree.root == tree.tree.root


def test_there_is_no_proof_of_what_is_not_there(given):
    path, _, contribution = given
    for index in (-1, 1000, 2**40):
        with pytest.raises(UsageError, match="counted from 0|there is no record"):
            prove_record(path, index, contribution)


def test_the_source_must_be_what_was_signed(given):
    path, bundle, contribution = given
    leaves = leaves_path(bundle)
    data = bytearray(leaves.read_bytes())
    data[5] ^= 1
    for wrong in (data, data[:-32], data + bytes(32), b""):
        leaves.write_bytes(wrong)
        with pytest.raises(Refused) as raised:
            record_tree(leaves, contribution)
        assert raised.value.code == "CON014"
    leaves.unlink()
    with pytest.raises(Undecided):
        record_tree(leaves, contribution)
    path.write_bytes(path.read_bytes().replace(b"17", b"71"))
    with pytest.raises(Refused):
        prove_record(path, 3, contribution)


def test_large_records_are_left_out_of_the_proof(tmp_path, key, public):
    path = tmp_path / "big.jsonl"
    path.write_bytes(b"a" * (1 << 20) + b"\n" + b"b" * ((1 << 20) + 1) + b"\n")
    contribution = contribution_of(
        provenance.contribute(path, contributor="a", key=key, records="jsonl"), public
    )
    assert prove_record(path, 0, contribution).record is not None
    assert prove_record(path, 1, contribution).record is None
    assert parse_proof(encode_proof(prove_record(path, 0, contribution)))


@pytest.mark.parametrize(
    "change",
    [
        {"index": 4},
        {"count": 999},
        {"leaf": "0" * 64},
        {"root": "0" * 64},
        {"path": ()},
        {"leafRule": "csv-raw/1"},
        {"treeAlgorithm": "mine"},
        {"record": "AAAA"},
        {"record": "!"},
        {"salt": "0" * 32},
    ],
)
def test_a_changed_proof_is_wrong(given, change):
    path, _, contribution = given
    document = json.loads(encode_proof(prove_record(path, 3, contribution)))
    changed = parse_proof(json.dumps({**document, **change}).encode())
    assert verify_proof(changed, contribution).rule == "CON018"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[" * 10_000,
        b'{"index": -1}',
        b"x" * (3 << 20),
        b'{"schema":1,"leafRule":"a","treeAlgorithm":"b","index":0,"count":1,"leaf":"zz","path":[],"root":"zz"}',
    ],
)
def test_proofs_come_from_anybody(data):
    with pytest.raises(Malformed):
        parse_proof(data)
