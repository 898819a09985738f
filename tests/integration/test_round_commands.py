"""A round from the command line: contribute, aggregate, replay, as people call them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

COMMAND = Path(sys.executable).with_name("provenance")
PEOPLE = ("ann", "bea", "cid", "dot", "eve")


def run(*arguments, status=0, cwd=None):
    done = subprocess.run(
        [COMMAND, *map(str, arguments)], capture_output=True, text=True, check=False, cwd=cwd
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A roster of five, a base model, and five signed updates."""
    home = tmp_path_factory.mktemp("round")
    rng = np.random.default_rng(3)
    run("keygen", "m.key", cwd=home)
    run("roster", "init", "roster.toml", "--maintainer", "m.key.pub", cwd=home)
    (home / "round").mkdir()
    save_file({"w": np.zeros((9, 7), "f4")}, home / "base.safetensors")
    for name in PEOPLE:
        run("keygen", f"{name}.key", cwd=home)
        run("roster", "add", "roster.toml", name, "--key", f"{name}.key.pub", cwd=home)
        save_file({"w": rng.normal(1, 0.1, (9, 7)).astype("f4")}, home / "round" / f"{name}.safetensors")
        run(
            *("contribute", f"round/{name}.safetensors", "--contributor", name, "--key", f"{name}.key"),
            *("--round", "t@3", "--base", "base.safetensors"),
            cwd=home,
        )
    run("roster", "sign", "roster.toml", "--key", "m.key", cwd=home)
    return home


def aggregate(home, *more, status=0, rule="trimmed-mean", faulty=1):
    return run(
        *("aggregate", "round", "--roster", "roster.toml", "--roster-key", "m.key.pub", "--round", "t@3"),
        *("--rule", rule, "--faulty", faulty, *more),
        status=status,
        cwd=home,
    )


def replay(home, *more, status=0):
    return run(
        *("replay", "out.safetensors", "--updates", "round", "--roster", "roster.toml"),
        *("--roster-key", "m.key.pub", "--key", "m.key.pub", *more),
        status=status,
        cwd=home,
    )


def test_a_round_is_aggregated_signed_verified_and_replayed(made):
    told = json.loads(aggregate(made, "-o", "out.safetensors", "--key", "m.key", "--format", "json").stdout)
    assert (told["decision"], told["n"], told["faulty"], told["rejected"]) == ("accepted", 5, 1, [])
    assert [each["contributor"] for each in told["accepted"]] == sorted(PEOPLE)
    assert told["guarantee"]["kappa"] > 0
    values = [load_file(made / "round" / f"{name}.safetensors")["w"] for name in PEOPLE]
    expected = np.sort(np.stack(values), axis=0)[1:-1].astype("f8").mean(axis=0)
    assert np.allclose(load_file(made / "out.safetensors")["w"], expected, atol=1e-6)
    run("verify", "out.safetensors", "--key", "m.key.pub", cwd=made)
    again = json.loads(replay(made, "--format", "json").stdout)
    assert again["digest"] == again["recomputed"] == told["digest"]
    assert again["digest"] in run("digest", "out.safetensors", cwd=made).stdout
    assert again["checked"] == told["checked"]
    assert told["checked"]["bytes"] > 0


def test_a_changed_result_is_refused(made):
    aggregate(made, "-o", "out.safetensors", "--key", "m.key")
    values = load_file(made / "out.safetensors")
    values["w"][0, 0] += 1
    save_file(values, made / "out.safetensors")
    done = replay(made, status=1)
    assert "error[AGG016]" in done.stdout


def test_too_many_faulty_are_refused_and_nothing_is_written(made):
    done = aggregate(made, "-o", "never.safetensors", faulty=3, status=1)
    assert "error[AGG013]" in done.stdout
    assert not (made / "never.safetensors").exists()


def test_an_unknown_rule_or_parameter_is_wrong_use(made):
    assert "did you mean krum?" in aggregate(made, "-o", "x", rule="krumm", status=2).stderr
    aggregate(made, "-o", "x", "--parameter", "nonsense=1", status=2)
    aggregate(made, "-o", "x", "--parameter", "nonsense", status=2)
    aggregate(made, status=2)


def test_the_table_of_rules_needs_no_result(made):
    done = aggregate(made, "--explain")
    assert "geometric-median" in done.stdout
    assert "kappa" in done.stdout


def test_another_round_has_no_updates(made):
    done = run(
        *("aggregate", "round", "--roster", "roster.toml", "--roster-key", "m.key.pub", "--round", "t@4"),
        *("--rule", "mean", "--faulty", "0", "-o", "x.safetensors"),
        status=3,
        cwd=made,
    )
    assert "error[AGG014]" in done.stdout


def test_a_roster_that_was_changed_is_refused(made):
    text = (made / "roster.toml").read_text(encoding="utf-8")
    (made / "roster.toml").write_text(text.replace('id = "eve"', 'id = "mallory"'), encoding="utf-8")
    try:
        done = aggregate(made, "-o", "x.safetensors", status=1)
        assert "CON002" in done.stdout + done.stderr
    finally:
        (made / "roster.toml").write_text(text, encoding="utf-8")
