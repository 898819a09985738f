"""Parts of a pass in threads, and in the calling thread where the system refuses others."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from provenance.aggregation import aggregate_arrays
from provenance.aggregation.workers import workers


def refuse_from(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let some threads start, and no further one, as a limit of the system does."""
    honest, started = threading.Thread.start, []

    def start(thread: threading.Thread) -> None:
        if len(started) >= number:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        honest(thread)

    monkeypatch.setattr(threading.Thread, "start", start)


@pytest.mark.parametrize("had", [0, 1, 2, 9])
def test_every_task_is_done_once_and_answered_in_order(had: int, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_from(had, monkeypatch)
    done: list[int] = []

    def task(number: int) -> int:
        done.append(number)
        return 2 * number

    for threads in (1, 3):
        done.clear()
        with workers(threads) as submit:
            futures = [submit(lambda number=number: task(number)) for number in range(500)]
            assert [future.result(timeout=30) for future in futures] == [2 * each for each in range(500)]
        assert sorted(done) == list(range(500))


@pytest.mark.parametrize("had", [0, 1, 9])
def test_what_a_task_raises_comes_out(had: int, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_from(had, monkeypatch)

    def fail() -> Any:
        raise OSError("gone")

    with workers(3) as submit:
        futures = [submit(fail) for _ in range(9)]
        for future in futures:
            with pytest.raises(OSError, match="gone"):
                future.result(timeout=30)


@pytest.mark.parametrize("rule", ["median", "krum", "geometric-median"])
def test_a_result_is_the_same_where_no_thread_can_be_had(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).standard_normal((7, 100_000), np.float32)
    wanted = aggregate_arrays(x, rule=rule, faulty=1, threads=1)
    refuse_from(1, monkeypatch)
    assert (aggregate_arrays(x, rule=rule, faulty=1, threads=4) == wanted).all()


ROUND = """
import os, resource, sys
sys.path[:0] = sys.argv[2:]
from pathlib import Path
import threading
from round_world import World
world = World(Path(sys.argv[1]))
world.everybody()
wanted = world.signed(threads=3).read_bytes()
assert world.replay(world.root / "out.safetensors", threads=3).decision == "accepted"
for each in (world.root, *world.root.rglob("*")):
    os.chown(each, 54321, 54321)
os.setresuid(54321, 54321, 54321)
resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
try:
    threading.Thread(target=print).start()
    print("threads can be had")
except RuntimeError:
    pass
for threads in (None, 3):
    found = world.aggregate(threads=threads, output=world.root / "again.safetensors")
    assert found.decision == "accepted", found.findings
    assert (world.root / "again.safetensors").read_bytes() == wanted
    assert world.replay(world.root / "out.safetensors", threads=threads).decision == "accepted"
print("done")
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user who has no thread left")
def test_a_round_is_computed_and_replayed_where_the_system_refuses_threads() -> None:
    tests = Path(__file__).parents[2]
    with tempfile.TemporaryDirectory() as home:
        run = subprocess.run(
            [sys.executable, "-c", ROUND, home, str(tests), str(tests.parent)],
            check=False,
            capture_output=True,
            text=True,
            env=os.environ | {"HOME": home, "XDG_STATE_HOME": home, "OPENBLAS_NUM_THREADS": "1"},
        )
    assert (run.returncode, run.stdout) == (0, "done\n"), run.stderr[-3000:]
