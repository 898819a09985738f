"""``provenance contribute`` as a contributor calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from provenance.attestations.contribution import read_contribution
from provenance.lineage.record_checks import verify_records
from provenance.lineage.statements import leaves_path, open_statement, trust_of_keys

COMMAND = Path(sys.executable).with_name("provenance")


def run(*arguments, status=0, **env):
    done = subprocess.run(
        [COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **env},
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def read(bundle, public):
    return read_contribution(open_statement(bundle.strip(), trust_of_keys([public])).statement)


@pytest.fixture
def batch(tmp_path):
    (tmp_path / "batch.jsonl").write_text('{"a": 1}\n{"a": 2}\n')
    return tmp_path / "batch.jsonl"


def test_a_batch(batch, key, public):
    common = ("--contributor", "alice", "--key", key)
    done = run(
        "contribute", batch, *common, "--records", "jsonl", "--licence", "CC0-1.0", "--consent", "x",
        "--collected-from", "2026-01-01", "--collected-until", "2026-01-31", "--generation", "typed", "--leaves",
    )  # fmt: skip
    found = read(done.stdout, public)
    assert (found.contributor, found.licence, found.records.count) == ("alice", "CC0-1.0", 2)
    assert leaves_path(Path(done.stdout.strip())).stat().st_size == 64
    assert verify_records(batch, found).decision == "accepted"
    inspected = json.loads(run("inspect", done.stdout.strip(), "--format", "json").stdout)
    assert inspected["bundles"][0]["predicate_type"].endswith("contribution/v1")


def test_salts_and_a_place_of_ones_own(batch, key, public, tmp_path):
    done = run(
        "contribute", batch, "--contributor", "alice", "--key", key, "--records", "jsonl", "--salted",
        "--salts", tmp_path / "my.salts", "--signature", tmp_path / "my.json",
    )  # fmt: skip
    assert done.stdout == f"{tmp_path}/my.json\n"
    assert (
        verify_records(batch, read(done.stdout, public), salts=tmp_path / "my.salts").decision == "accepted"
    )


def test_an_update(tmp_path, key, public):
    for name in ("base", "update"):
        save_file({"w": np.zeros(2, dtype=np.float32)}, tmp_path / f"{name}.safetensors")
    done = run(
        "contribute", tmp_path / "update.safetensors", "--contributor", "bob", "--key", key, "--round", "digits@3",
        "--base", tmp_path / "base.safetensors", "--update", "delta",
    )  # fmt: skip
    found = read(done.stdout, public)
    assert (found.update.task, found.update.round, found.update.form) == ("digits", 3, "delta")


def test_what_goes_wrong_is_said(batch, key, tmp_path):
    common = ("--contributor", "alice", "--key", key)
    run("contribute", batch, "--key", key, status=2)
    run("contribute", batch, *common, "--records", "xml", status=2)
    run("contribute", batch, *common, "--round", "x", status=2)
    run("contribute", batch, "--contributor", "a/b", "--key", key, status=2)
    assert "ART010" in run("contribute", tmp_path / "absent", *common, status=3).stderr
    batch.write_bytes(b"a\r\n")
    refused = run("contribute", batch, *common, "--records", "jsonl", status=1)
    assert "CON016" in refused.stderr
    assert "CRLF" in refused.stderr
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    assert (
        "CON016"
        in run("contribute", tmp_path / "t.parquet", *common, "--records", "parquet", status=1).stderr
    )


def test_a_key_with_a_password(batch, tmp_path, public):
    run("keygen", tmp_path / "k", "--password-env", "SECRET", SECRET="hunter2")
    run("contribute", batch, "--contributor", "alice", "--key", tmp_path / "k", status=2)
    run(
        "contribute", batch, "--contributor", "alice", "--key", tmp_path / "k", "--password-env", "SECRET",
        SECRET="hunter2",
    )  # fmt: skip
    assert public.exists()
