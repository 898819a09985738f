"""Rules over 20 files, every piece proven as it is read: bytes a CPU second, and memory beyond what was there."""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

SCRATCH = Path(".scratch/benchmarks/streaming")
COUNT, FAULTY, COLUMNS = 20, 4, 10_000_000
BEHIND = ("trimmed-mean", "median", "geometric-median", "krum")
RULES = (
    "mean",
    "median",
    "trimmed-mean",
    "meamed",
    "krum",
    "multi-krum",
    "mda",
    "geometric-median",
    "bounded-influence",
    "centered-clipping",
    "cge",
    "monna",
    "caf",
    "smea",
    "bulyan",
)


def main(arguments: list[str]) -> None:
    """Run each rule in a process of its own, in random order, and print medians."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks streaming")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rules", nargs="+", default=[*RULES, *(f"nnm + {rule}" for rule in BEHIND)])
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--output", type=Path, default=Path(".scratch/benchmarks/streaming.json"))
    options = parser.parse_args(arguments)
    if options.one:
        print(json.dumps(_measured(options.one, options.threads)))
        return
    if not (SCRATCH / "done").exists():
        _make()
    found: dict[str, list[list[float]]] = {name: [] for name in options.rules}
    order = random.Random(0)
    for _ in range(options.runs):
        for name in order.sample(options.rules, len(options.rules)):
            found[name].append(_elsewhere(name, options.threads))
    _print(found)
    options.output.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _print(found: dict[str, list[list[float]]]) -> None:
    size = COUNT * COLUMNS * 4 / 1e9
    print(f"{COUNT} files, {size:.1f} GB in float32; what is read twice counts once\n")
    print("| rule | CPU s | GB a CPU second | extra MiB |")
    print("|---|---|---|---|")
    for name, runs in found.items():
        seconds, extra = (statistics.median(values) for values in zip(*runs, strict=True))
        print(f"| {name} | {seconds:.2f} | {size / seconds:.2f} | {extra:.0f} |")


def _make() -> None:
    SCRATCH.mkdir(parents=True, exist_ok=True)
    numbers = np.random.default_rng(0)
    for number in range(COUNT):
        values = numbers.standard_normal(COLUMNS, np.float32)
        save_file({"w": values.reshape(-1, 2000)}, SCRATCH / f"c{number:02d}.safetensors")
    (SCRATCH / "done").touch()


def _elsewhere(name: str, threads: int) -> list[float]:
    command = [sys.executable, "-m", "benchmarks", "streaming", "--one", name, "--threads", str(threads)]
    result: list[float] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return result


def _measured(name: str, threads: int) -> tuple[float, float]:
    """Give CPU seconds and MiB of one aggregation; the read that verifies comes before."""
    from provenance.aggregation import aggregate, aggregate_arrays
    from provenance.aggregation.rounds.stream import StreamedUpdates

    *pre, rule = name.split(" + ")
    choices: dict[str, Any] = {"rule": rule, "faulty": 0 if rule == "mean" else FAULTY, "pre": pre}
    aggregate_arrays(np.eye(COUNT), **choices)  # everything is imported
    with _opened() as updates:
        stream = StreamedUpdates(updates, updates[0].examined.layout)
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forget the largest size so far
        before, started = _memory("VmRSS"), time.process_time()
        aggregate(stream, threads=threads, out=lambda _start, _values: None, **choices)
        return time.process_time() - started, (_memory("VmHWM") - before) / 1024


@contextmanager
def _opened() -> Iterator[list[Any]]:
    from provenance.aggregation.rounds.examining import examine_update
    from provenance.aggregation.rounds.stream import OpenUpdate

    descriptors = [os.open(path, os.O_RDONLY) for path in sorted(SCRATCH.glob("*.safetensors"))]
    try:
        yield [OpenUpdate(f"{number}", each, examine_update(each)) for number, each in enumerate(descriptors)]
    finally:
        for each in descriptors:
            os.close(each)


def _memory(what: str) -> int:
    """Give a number of KiB of this process."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith(f"{what}:")).split()[1])
