"""The vectors in ``tests/vectors/pickles``: each is judged as it says, and those that say that they run do run."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from provenance.scanning.verb import scan_bytes

VECTORS = Path(__file__).parents[2] / "vectors" / "pickles"


def every() -> dict[str, dict[str, Any]]:
    found = {}
    for path in sorted(VECTORS.glob("*.json")):
        document = json.loads(path.read_bytes())
        for vector in document["vectors"]:
            found[f"{document['requirement']}: {vector['name']}"] = vector
    return found


ALL = every()


def content(vector: dict[str, Any]) -> bytes:
    return b"".join(base64.b64decode(data) * times for data, times in vector["pieces"])


@pytest.mark.parametrize("name", ALL)
def test_it_is_judged_as_it_says(name: str) -> None:
    vector = ALL[name]
    scan = scan_bytes(content(vector), vector["file"])
    errors = sorted({found.rule for found in scan.findings if found.severity == "error"})
    assert (scan.decision, errors) == (vector["decision"], vector["rules"]), scan.findings
    assert scan.exit_status == vector["exit_status"]


def test_every_requirement_has_good_and_bad_ones() -> None:
    for path in VECTORS.glob("*.json"):
        decisions = [vector["decision"] for vector in json.loads(path.read_bytes())["vectors"]]
        assert decisions.count("accepted") >= 3, path.name
        assert len(decisions) - decisions.count("accepted") >= 3, path.name
    assert {path.stem for path in VECTORS.glob("*.json")} == {f"R{n:02}" for n in range(1, 12)}


UNPICKLE = """
import os, pickle, sys
for number in range(int(sys.argv[1])):
    os.chdir(os.path.join(sys.argv[2], str(number)))
    with open("file", "rb") as file:
        try:
            pickle.load(file)
        except Exception as error:
            print(number, type(error).__name__, error)
"""


def test_those_that_run_are_no_strawmen(tmp_path: Path) -> None:
    """Python's own unpickler, in a process of its own, makes the marker for each."""
    live = [(name, vector) for name, vector in ALL.items() if vector["runs"]]
    for number, (_, vector) in enumerate(live):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "file").write_bytes(content(vector))
    arguments = [sys.executable, "-I", "-c", UNPICKLE, str(len(live)), str(tmp_path)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=120)
    ran = [name for number, (name, _) in enumerate(live) if (tmp_path / str(number) / "marker").is_dir()]
    assert ran == [name for name, _ in live], done.stdout
