"""Robust aggregation beside byzfl: CPU time of all threads on the same float32 arrays, in random order."""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.processes import make_peer

SHAPES = ("20,4,1000000", "50,10,1000000", "20,4,10000000")
PARAMETERS = {
    "centered-clipping": {"tau": 100.0, "iterations": 1},
    "centered-clipping, 5 steps": {"tau": 100.0, "iterations": 5},
}
FLOORS = {
    **dict.fromkeys(("median", "trimmed-mean", "meamed", "nnm + trimmed-mean", "caf"), 10),
    **dict.fromkeys(("krum", "geometric-median", "mda", "centered-clipping, 5 steps"), 5),
}
# Both compute these to the end; byzfl's CAF takes one power step, its geometric median three steps.
EXACT = {
    "mean",
    "median",
    "trimmed-mean",
    "meamed",
    "nnm + trimmed-mean",
    "krum",
    "multi-krum",
    "mda",
    "monna",
}
OURS_ALONE = ("smea", "bulyan", "bounded-influence", "cge")
SOME = 100_000  # columns by which results are compared
MOST_SUBSETS = 1_000_000  # byzfl enumerates for MDA: beyond this it does not end


class Peer:
    """byzfl in a process of its own that keeps its input between questions."""

    def __init__(self, python: str) -> None:
        script = str(Path(__file__).with_name("byzfl_peer.py"))
        self.process = subprocess.Popen(
            [python, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, **question: Any) -> dict[str, Any]:
        """Send one question and wait for the answer."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("the peer ended: it may have run out of memory; try smaller --shapes")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def peer(python: str) -> Iterator[Peer]:
    """Start the peer and end it."""
    started = Peer(python)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.wait()


def main(arguments: list[str]) -> None:
    """Run all rules on all shapes and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks aggregation")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--shapes", nargs="+", default=SHAPES, help="n,f,d")
    parser.add_argument("--rules", nargs="+", help='only these, such as krum "nnm + trimmed-mean"')
    parser.add_argument("--peer-python", default="", help="a python that has byzfl 0.0.11 and torch")
    parser.add_argument("--output", type=Path, default=Path(".scratch/benchmarks/aggregation.json"))
    options = parser.parse_args(arguments)
    python = options.peer_python or str(make_peer("byzfl", "byzfl==0.0.11", "torch==2.13.0"))
    document = {}
    for text in options.shapes:
        n, f, d = map(int, text.split(","))
        with peer(python) as other:
            document[text] = _shape(other, (n, f, d), options.runs, options.rules)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(document, indent=2) + "\n")


def _shape(other: Peer, shape: tuple[int, int, int], runs: int, only: list[str] | None) -> dict[str, Any]:
    """Time every rule on one shape: both sides, all rules, in a new order each run."""
    n, f, d = shape
    updates = np.random.default_rng(0).standard_normal((n, d), np.float32)
    theirs = [name for name in other.ask(shape=[n, f, d], seed=0)["rules"] if _can_finish(name, n, f, d)]
    ours = [*theirs, *(["mda"] if "mda" not in theirs else []), *OURS_ALONE]
    theirs, ours = ([name for name in names if only is None or name in only] for names in (theirs, ours))
    jobs = [("theirs", name) for name in theirs] + [("ours", name) for name in ours]
    order = random.Random(0)
    times: dict[tuple[str, str], list[float]] = {job: [] for job in jobs}
    some = updates[:, :SOME].astype(np.float64)
    apart = {name: _agreement(other, some, name, f) for name in theirs if name in EXACT}
    for _ in range(runs):
        for side, name in order.sample(jobs, len(jobs)):
            seconds = (
                other.ask(rule=name, save="")["seconds"] if side == "theirs" else _time(updates, name, f)
            )
            times[side, name].append(seconds)
    medians = {job: statistics.median(found) for job, found in times.items()}
    return _table(f"n={n}, f={f}, d={d:,}", medians, apart, times)


def _can_finish(name: str, n: int, f: int, d: int) -> bool:
    """Leave out what takes hours (all subsets) or more memory than there is (all neighbours of all rows)."""
    if name == "mda":
        return math.comb(n, f) <= MOST_SUBSETS
    return name != "nnm + trimmed-mean" or 4 * n * (n - f) * d < 0.8 * _memory()


def _memory() -> int:
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("MemAvailable")).split()[1])


def _aggregate(updates: Any, name: str, f: int) -> Any:
    from provenance.aggregation import aggregate_arrays

    *pre, rule = name.partition(",")[0].split(" + ")
    return aggregate_arrays(
        updates,
        rule=rule,
        faulty=0 if rule == "mean" else f,
        pre=pre,
        parameters=PARAMETERS.get(name),
    )


def _time(updates: Any, name: str, f: int) -> float:
    """Give CPU seconds; NaN where the rule refuses."""
    started = time.process_time()
    try:
        _aggregate(updates, name, f)
    except ValueError:
        return math.nan
    return time.process_time() - started


def _agreement(other: Peer, updates: Any, name: str, f: int) -> float:
    """Give the largest difference of both results in float64, against their largest value.

    In float32 byzfl's distances are too coarse to find the same neighbours, where all are nearly as far.
    """
    path = Path(".scratch/benchmarks/byzfl.npy").resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    other.ask(rule=name, save=str(path), columns=SOME)
    theirs, ours = np.load(path), _aggregate(updates, name, f)
    return float(np.abs(theirs.astype(np.float64) - ours).max() / np.abs(ours).max())


def _table(
    title: str, medians: dict[Any, float], apart: dict[str, float], times: dict[Any, Any]
) -> dict[str, Any]:
    print(f"\n{title}: CPU milliseconds, medians\n")
    print("| rule | byzfl | provenance | ratio | wanted | difference |")
    print("|---|---|---|---|---|---|")
    for name in [name for side, name in medians if side == "ours"]:
        mine, theirs = medians["ours", name], medians.get(("theirs", name))
        other = "-" if theirs is None else f"{1e3 * theirs:.0f}"
        ratio = "-" if theirs is None else f"{theirs / mine:.1f}"
        wanted = f"{FLOORS[name]}" if name in FLOORS and theirs is not None else ""
        mine_text = "refused" if math.isnan(mine) else f"{1e3 * mine:.0f}"
        differs = f"{apart[name]:.0e}" if name in apart else ""
        print(f"| {name} | {other} | {mine_text} | {ratio} | {wanted} | {differs} |", flush=True)
    return {f"{side} {name}": found for (side, name), found in times.items()}
