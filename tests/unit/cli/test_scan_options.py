"""``scan`` with standard input, patterns and ``--minimal-allowlist``."""

from __future__ import annotations

import ipaddress
import json
import pickle
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli.standard_input
from cli.main import main

ADDRESS = pickle.dumps(ipaddress.ip_address("10.0.0.1"))


def run(*arguments: str, given: bytes = b"") -> Result:
    return CliRunner().invoke(main, ["scan", *arguments], input=given)


def test_standard_input_is_a_file_like_any_other(tmp_path: Path) -> None:
    assert run("-", given=pickle.dumps([1])).exit_code == 0
    done = run("-", "--format", "json", given=ADDRESS)
    assert done.exit_code == 1
    assert json.loads(done.stdout)["files"][0]["path"] == "-"
    (tmp_path / "a.pkl").write_bytes(b"N.")
    assert run(str(tmp_path), "-", given=ADDRESS).exit_code == 1
    assert run("-", given=b"").exit_code == 0  # an empty text


def test_too_much_of_it_is_left_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli.standard_input, "MOST_BYTES", 10)
    done = run("-", given=ADDRESS)
    assert done.exit_code == 3
    assert "ARC007" in done.stdout


def test_patterns_in_quotes(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(ADDRESS)
    assert run(str(tmp_path / "*.pkl")).exit_code == 1
    assert run(str(tmp_path / "*.none")).exit_code == 3


def test_the_printed_allowlist_can_be_pasted_as_it_is(tmp_path: Path) -> None:
    source, policy = tmp_path / "a\n.pkl", tmp_path / "policy.toml"
    source.write_bytes(ADDRESS)
    done = run(str(source), "--minimal-allowlist")
    assert done.exit_code == 0, done.output
    assert tomllib.loads(done.stdout)["formats"]["allow_globals"] == ["ipaddress.IPv4Address"]
    policy.write_text("version = 1\n" + done.stdout)
    assert run(str(source), "--policy", str(policy)).exit_code == 0


def test_what_no_allowlist_can_hold_is_a_comment_and_refuses(tmp_path: Path) -> None:
    dotted = b"\x80\x04\x8c\x02os\x8c\x08path.sep\x93."
    done = run("-", "--minimal-allowlist", given=dotted)
    assert done.exit_code == 1
    assert tomllib.loads(done.stdout)["formats"]["allow_globals"] == []
    assert "# no allowlist can hold os.path.sep" in done.stdout
    assert "# still PKL004" in done.stdout
    found = json.loads(run("-", "--minimal-allowlist", "--format", "json", given=dotted).stdout)
    assert (found["decision"], found["impossible"], found["allow_globals"]) == (
        "refused",
        ["os.path.sep"],
        [],
    )
    assert tomllib.loads(found["toml"])["formats"]["profiles"] == ["tensors"]


def test_other_formats_have_no_place_for_it() -> None:
    done = run("-", "--minimal-allowlist", "--format", "sarif")
    assert done.exit_code == 2
