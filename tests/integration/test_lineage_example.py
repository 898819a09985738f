"""The example of a lineage, whole: five contributors, a curated data set, a model, a stolen key; then its audit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sklearn", reason="the example trains on scikit-learn's digits")
ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("provenance")


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Run the example somewhere else than in the repository; returns its folder and what it said."""
    place = tmp_path_factory.mktemp("example")
    done = subprocess.run(
        [sys.executable, "-m", "examples.lineage"],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return place / ".scratch" / "lineage", done.stdout


def run(home, *arguments, status):
    done = subprocess.run(
        [COMMAND, *arguments],
        cwd=home,
        env={**os.environ, "XDG_STATE_HOME": str(home / "state")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def test_the_story_is_told_to_its_end(told):
    _, said = told
    assert "proven: every way ends in a contribution" in said
    assert "the record stands under the Merkle root that its contributor signed" in said
    assert "3 artifacts tainted by the contributor" in said
    assert "Refused: model:" in said


def test_the_audit_names_who_gave_what(told):
    home, _ = told
    found = json.loads(
        run(home, "audit", "model", "--policy", "policy.toml", "--store", ".", "--format", "json", status=1)
    )
    assert (found["command"], found["decision"], found["status"]) == ("audit", "refused", "asserted")
    people = {each["id"]: each for each in found["contributors"]}
    assert {name for name, each in people.items() if each["tainted"]} == {
        name for name, each in people.items() if each["standing"] == "revoked"
    }
    assert sum(each["records"] for each in people.values()) == 1500
    assert abs(sum(each["share"] for each in people.values()) - 1) < 1e-9
    assert {each["article"] for each in found["evidence"]} >= {"10(2)(b)", "12", "53(1)(d)"}
    assert "compliant" not in json.dumps(found)
    assert len(found["graph"]["nodes"]) == 7
    assert len(found["graph"]["edges"]) == 6


def test_the_page_says_the_same_and_names_no_folder_of_this_machine(told):
    home, _ = told
    run(
        home,
        "audit",
        "model",
        "--policy",
        "policy.toml",
        "--store",
        ".",
        "--format",
        "html",
        "-o",
        "a.html",
        status=1,
    )
    page = (home / "a.html").read_text(encoding="utf-8")
    assert "the key was stolen" in page
    assert "default-src 'none'" in page
    assert str(home) not in page


@pytest.mark.parametrize("form", ["text", "sarif"])
def test_other_formats_have_the_same_status(told, form):
    home, _ = told
    said = run(home, "audit", "model", "--policy", "policy.toml", "--store", ".", "--format", form, status=1)
    assert "the key was stolen" in said


def test_an_audit_without_a_policy_is_wrong_use(told):
    home, _ = told
    run(home, "audit", "model", status=2)


@pytest.mark.parametrize(
    "form", ["cyclonedx", "spdx", "croissant", "openlineage", "prov-json", "mermaid", "dot"]
)
def test_the_lineage_is_exported(told, form):
    home, _ = told
    trusted = (
        "--key",
        "trainer.key.pub",
        "--key",
        "curator.key.pub",
        "--store",
        ".",
        "--roster",
        "roster.toml",
    )
    listed = ("--roster-key", "maintainer.key.pub", "--format", form)
    said = run(home, "lineage", "export", "model", *trusted, *listed, status=0)
    assert "digits.jsonl" in said
