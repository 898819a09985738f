"""``provenance run`` as a person or a CI job calls it: a program that knows nothing of it, and a report."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("provenance")
SAVE = "import pickle\nopen('good.pkl', 'wb').write(pickle.dumps({'a': 1}))\n"
EVIL = b"cos\nsystem\n(S'touch marker'\ntR."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "evil.pkl").write_bytes(EVIL)
    return tmp_path


def run(folder: Path, *words: str, program: str = "") -> subprocess.CompletedProcess[str]:
    if program:
        (folder / "train.py").write_text(program)
    return subprocess.run([COMMAND, "run", *words], cwd=folder, capture_output=True, text=True, check=False)


def guarded(folder: Path, program: str) -> tuple[subprocess.CompletedProcess[str], dict]:
    words = ("--policy", "harmless", "--report", "report.json", "--", sys.executable, "train.py")
    done = run(folder, *words, program=program)
    report = folder / "report.json"
    return done, json.loads(report.read_text()) if report.exists() else {}


def test_a_program_that_loads_what_is_harmless(folder: Path) -> None:
    program = SAVE + "print(pickle.load(open('good.pkl', 'rb')))\n"
    done, report = guarded(folder, program)
    assert (done.returncode, done.stdout) == (0, "{'a': 1}\n"), done.stderr
    assert (report["schema"], report["command"], report["decision"], report["status"]) == (
        1,
        "run",
        "accepted",
        0,
    )
    assert [(load["loader"], load["path"], load["decision"]) for load in report["loads"]] == [
        ("pickle.load", "good.pkl", "accepted")
    ]
    assert len(report["processes"]) == 1
    assert "accepted: 0 errors" in done.stderr


def test_a_refusal_that_the_program_swallows_still_fails_the_run(folder: Path) -> None:
    program = "import pickle\ntry:\n    pickle.load(open('evil.pkl', 'rb'))\nexcept Exception:\n    pass\nprint('went on')\n"
    done, report = guarded(folder, program)
    assert (done.returncode, done.stdout) == (1, "went on\n")
    assert not (folder / "marker").exists()
    assert (report["decision"], report["status"], report["findings"][0]["rule"]) == ("refused", 0, "PKL002")
    assert "error[PKL002]: imports os.system" in done.stderr


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_its_children_are_guarded(folder: Path, method: str) -> None:
    program = (
        "import multiprocessing, pickle\n"
        "def work(_):\n    try:\n        pickle.load(open('evil.pkl', 'rb'))\n    except Exception as e:\n        return type(e).__name__\n"
        f"if __name__ == '__main__':\n    with multiprocessing.get_context({method!r}).Pool(1) as pool:\n"
        "        print(pool.map(work, [1]))\n"
    )
    done, report = guarded(folder, program)
    assert (done.returncode, done.stdout) == (1, "['Refused']\n"), done.stderr
    assert not (folder / "marker").exists()
    assert {load["decision"] for load in report["loads"]} == {"refused"}


def test_the_status_is_the_program_s_own(folder: Path) -> None:
    done, report = guarded(folder, "import sys; sys.exit(7)")
    assert (done.returncode, report["decision"], report["status"]) == (7, "accepted", 7)
    done, report = guarded(folder, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert (done.returncode, report["status"]) == (137, 137)


def test_questions_that_are_wrong(folder: Path) -> None:
    assert run(folder, "--policy", "harmless").returncode == 2
    assert run(folder, "--policy", "harmless", "--", "no-such-command-anywhere").returncode == 2
    assert run(folder, "--policy", "no-such-policy", "--", sys.executable, "-c", "1").returncode == 2


def test_a_command_in_which_nothing_is_guarded_is_undecided(folder: Path) -> None:
    for words in ((sys.executable, "-I", "-c", "print(1)"), ("true",)):
        done = run(folder, "--policy", "harmless", "--", *words)
        assert done.returncode == 3
        assert "error[GRD004]" in done.stderr


def test_options_behind_the_command_are_the_command_s(folder: Path) -> None:
    done = run(
        folder,
        "--policy",
        "harmless",
        sys.executable,
        "-c",
        "import sys; print(sys.argv[1:])",
        "--policy",
        "x",
    )
    assert (done.returncode, done.stdout) == (0, "['--policy', 'x']\n"), done.stderr


def test_a_signal_reaches_the_program_and_the_report_is_written(folder: Path) -> None:
    (folder / "train.py").write_text("import time\nprint('here', flush=True)\ntime.sleep(60)\n")
    words = ["run", "--policy", "harmless", "--report", "report.json", "--", sys.executable, "train.py"]
    process = subprocess.Popen(
        [COMMAND, *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 143
    assert json.loads((folder / "report.json").read_text())["status"] == 143


def test_an_interpreter_that_cannot_be_guarded_does_not_start(folder: Path) -> None:
    """The terms of the guard do not come through: the program is not run at all."""
    startup = Path(__import__("provenance").__file__).parent / "loading" / "guarding" / "startup"
    environment = {**os.environ, "PYTHONPATH": str(startup), "PROVENANCE_GUARD": "{broken"}
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", "print('ran')"], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (3, ""), time.monotonic() - started
    assert "cannot be guarded" in done.stderr
