"""The command ``convert``: what it prints, and with which exit status."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from cli.main import main


def run(*arguments: Any, **environment: str) -> Result:
    return CliRunner().invoke(main, ["convert", *map(str, arguments)], env=environment)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "weights.pkl"
    path.write_bytes(pickle.dumps({"layer": {"w": np.ones((2, 3), "f4")}, "epoch": 3}))
    return path


def test_it_says_what_was_written(source: Path) -> None:
    target = source.with_name("out.safetensors")
    done = run(source, target)
    assert done.exit_code == 0, done.output
    assert f"{target}: 1 tensor, 1 plain value in the metadata\naccepted: 0 errors" in done.stdout


def test_json_names_everything(source: Path, key: Path) -> None:
    target = source.with_name("out.safetensors")
    done = run(source, target, "--format", "json", "--key", key)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["command"], found["decision"], found["path"]) == ("convert", "accepted", str(target))
    assert found["tensors"] == [{"name": "layer.w", "dtype": "F32", "shape": [2, 3]}]
    assert (found["values"], found["left_behind"], found["format"]) == (["epoch"], [], "pickle")
    assert Path(found["signature"]).name == "out.safetensors.sigstore.json"
    assert Path(found["statement"]).parent.name == ".provenance"


def test_partial_decides_about_what_cannot_be_carried(source: Path) -> None:
    source.write_bytes(pickle.dumps({"w": np.ones(2), "text": np.array(["a"])}))
    target = source.with_name("out.safetensors")
    done = run(source, target)
    assert done.exit_code == 1
    assert "error[CNV001]" in done.stdout
    assert "--partial" in done.stdout
    assert not target.exists()
    done = run(source, target, "--partial")
    assert done.exit_code == 0, done.output
    assert "warning[CNV001]" in done.stdout
    assert "1 value left behind" in done.stdout


def test_wrong_use_and_absent_files(source: Path) -> None:
    assert run(source, source.with_name("out.bin")).exit_code == 2
    assert run(source).exit_code == 2
    assert (
        run(source, source.with_name("out.safetensors"), "--key", source.with_name("no.key")).exit_code == 2
    )
    assert run(source.with_name("absent"), source.with_name("out.safetensors")).exit_code == 3
    assert run(source, source.with_name("out.safetensors"), "--policy", "no-such-policy").exit_code == 2
