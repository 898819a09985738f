"""The guard in other processes: children by fork, spawn and forkserver, pools, data loaders and plain interpreters."""

from __future__ import annotations

import concurrent.futures
import json
import multiprocessing
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import provenance
from provenance.loading.guarding.starting import unreached

EVIL = b"cos\nsystem\n(S'true'\ntR."
METHODS = ("fork", "spawn", "forkserver")
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


class Sample:
    """A class of the program, on no allowlist."""

    def __init__(self, value: int) -> None:
        self.value = value


def attempt(_: Any = None) -> str:
    try:
        pickle.loads(EVIL)
        return "loaded"
    except provenance.Refused:
        return "refused"


def double(sample: Sample) -> Sample:
    return Sample(2 * sample.value)


@pytest.mark.parametrize("method", METHODS)
def test_children_are_guarded_and_pools_work(method: str) -> None:
    """Objects of the program's own go to the workers and back; what the workers unpickle themselves is refused."""
    with provenance.guard(policy="harmless") as guard:
        with multiprocessing.get_context(method).Pool(1) as pool:
            assert [each.value for each in pool.map(double, [Sample(1), Sample(2)])] == [2, 4]
            assert pool.apply(attempt) == "refused"
        assert guard.decision == "refused", "what a child refused is in the parent's report"
    assert any(load.process != os.getpid() for load in guard.report().loads)


@pytest.mark.parametrize("method", METHODS)
def test_executors_queues_and_pipes_work(method: str) -> None:
    context = multiprocessing.get_context(method)
    with provenance.guard(policy="strict") as guard:
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
            assert pool.submit(double, Sample(4)).result().value == 8
        here, there = context.Pipe()
        there.send(Sample(5))
        assert here.recv().value == 5
        queue = context.Queue()
        queue.put(Sample(6))
        assert queue.get(timeout=30).value == 6
        queue.close()
        queue.join_thread()
    assert guard.decision == "accepted"


def test_a_remote_connection_is_no_message_of_the_program() -> None:
    from multiprocessing.connection import Client, Listener

    with provenance.guard(policy="harmless"):
        with (
            Listener(("127.0.0.1", 0), authkey=b"k") as listener,
            concurrent.futures.ThreadPoolExecutor(1) as pool,
        ):
            accepted = pool.submit(listener.accept)
            with Client(listener.address, authkey=b"k") as client, accepted.result() as server:
                server.send(Sample(1))
                with pytest.raises(provenance.Refused, match="Sample"):
                    client.recv()


def test_joblib_parallel_works_and_its_workers_are_guarded() -> None:
    joblib = pytest.importorskip("joblib", reason="comes with the dev extra")
    from joblib.externals.loky import get_reusable_executor

    large = np.arange(500_000.0)
    try:
        with provenance.guard(policy="harmless"):
            run = joblib.Parallel(n_jobs=2)
            assert run(joblib.delayed(lambda: 1)() for _ in range(2)) == [1, 1]
            found = run(joblib.delayed(_sum_and_attempt)(large, Sample(index)) for index in range(2))
        assert [each[:2] for each in found] == [(large.sum(), 0), (large.sum(), 1)]
        assert {each[2] for each in found} == {"refused"}
    finally:
        get_reusable_executor().shutdown(wait=True)


def _sum_and_attempt(array: np.ndarray[Any, Any], sample: Sample) -> tuple[float, int, str]:
    return float(array.sum()), sample.value, attempt()


def test_an_interpreter_that_is_started_is_guarded(tmp_path: Path) -> None:
    """Also by a subprocess with another working directory, and by one that a shell starts."""
    code = f"import pickle\ntry:\n  pickle.loads({EVIL!r})\n  print('loaded')\nexcept Exception as e:\n  print(type(e).__name__)"
    with provenance.guard(policy="harmless") as guard:
        found = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert found.stdout == "Refused\n", found.stderr
    assert guard.decision == "refused"
    assert [each.command for each in guard.report().processes if each.command.startswith(sys.executable)]


def test_a_sitecustomize_of_the_program_still_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text("import builtins\nbuiltins.customised = True\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    code = "import sys\nprint(customised, sys.modules['sitecustomize'].__file__)\nimport pickle; print(pickle.loads.__module__)"
    with provenance.guard(policy="harmless"):
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == [
        "True",
        str(tmp_path / "sitecustomize.py"),
        "provenance.loading.guarding.unpicklers",
    ]
    assert os.environ["PYTHONPATH"] == str(tmp_path)


@pytest.mark.parametrize(
    "options", [["-I"], ["-E"], ["-S"], ["-sI"], ["-W", "ignore", "-X", "dev", "-BE"]], ids=str
)
def test_an_interpreter_out_of_reach_leaves_it_undecided(options: list[str]) -> None:
    with provenance.guard(policy="harmless") as guard:
        subprocess.run([sys.executable, *options, "-c", "pass"], check=True)
    assert (guard.decision, [found.rule for found in guard.findings]) == ("undecided", ["GRD005"])


def test_an_interpreter_without_the_environment_leaves_it_undecided() -> None:
    with provenance.guard(policy="harmless") as guard:
        subprocess.run([sys.executable, "-c", "pass"], check=True, env={"PATH": os.environ["PATH"]})
    assert [found.rule for found in guard.findings] == ["GRD005"]


@pytest.mark.parametrize(
    ("words", "isolated"),
    [
        (["-c", "pass", "-I"], False),
        (["script.py", "-E"], False),
        (["-m", "IES"], False),
        (["-WIgnore", "script.py"], False),
        (["-X", "-I", "script.py"], False),
        (["-uW", "error", "-I"], True),
        (["-OOs", "-E"], True),
        (["--version"], False),
        (["-"], False),
        ([], False),
    ],
)
def test_options_are_read_as_python_reads_them(words: list[str], isolated: bool) -> None:
    arguments = ("python3", ["python3", *words], None, None)
    with provenance.guard(policy="harmless"):
        assert bool(unreached("subprocess.Popen", arguments)) is isolated
        assert not unreached("subprocess.Popen", ("ls", ["ls", "-I"], None, {}))
        assert unreached(
            "os.posix_spawn", (b"/usr/bin/python3.12", [b"python3.12", b"a.py"], {b"PATH": b"/"})
        )


def test_a_hook_that_keeps_others_out_is_noticed() -> None:
    code = """
import sys
def veto(event, arguments):
    if event == "sys.addaudithook":
        raise RuntimeError("only one")
sys.addaudithook(veto)
import provenance
from provenance.loading.guarding.starting import unreached
try:
    with provenance.guard(policy="harmless"):
        print("armed")
except provenance.Undecided as error:
    print(error.code)
import pickle
print(pickle.loads)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines() == ["GRD006", "<built-in function loads>"]


def test_an_interpreter_inside_of_this_one_leaves_it_undecided() -> None:
    """In a process of its own: a second interpreter switches off checks of CPython that torch relies on."""
    pytest.importorskip("_xxsubinterpreters")
    code = """
import _xxsubinterpreters, provenance
with provenance.guard(policy="harmless") as guard:
    _xxsubinterpreters.destroy(_xxsubinterpreters.create())
print(guard.decision, guard.findings[0].rule)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["undecided", "GRD005"]


def test_the_environment_goes_by_the_guards_that_are_open() -> None:
    first, second = provenance.guard(policy="harmless"), provenance.guard(policy="strict")
    first.__enter__()
    second.__enter__()
    assert len(json.loads(os.environ["PROVENANCE_GUARD"])) == 2
    first.__exit__(None, None, None)
    (left,) = json.loads(os.environ["PROVENANCE_GUARD"])
    assert left["policy"]["name"] == "strict"
    second.__exit__(None, None, None)
    assert "PROVENANCE_GUARD" not in os.environ


def test_a_journal_that_is_broken_is_said(tmp_path: Path) -> None:
    with provenance.guard(policy="harmless") as guard:
        (left,) = json.loads(os.environ["PROVENANCE_GUARD"])
        Path(left["journal"], "1.jsonl").write_bytes(b'{"type": "load", "loa')
    assert [found.rule for found in guard.findings] == ["GRD008"]
