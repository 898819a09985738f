"""A whole round of 20 signed updates of 40 MB, verify to signature, beside hashing the same files; and its replay."""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

SCRATCH = Path(".scratch/benchmarks/round")
OURS = str(Path(sys.executable).with_name("provenance"))
COUNT, SHAPE = 20, (5000, 2000)
CASES: dict[str, dict[str, Any]] = {
    "mean": {"rule": "mean", "faulty": 0},
    "median": {"rule": "median", "faulty": 4},
    "trimmed-mean": {"rule": "trimmed-mean", "faulty": 4},
    "krum": {"rule": "krum", "faulty": 4},
    "geometric-median": {"rule": "geometric-median", "faulty": 4},
    "nnm + trimmed-mean": {"rule": "trimmed-mean", "faulty": 4, "pre": ("nnm",)},
}


def main(arguments: list[str]) -> None:
    """Make the round once, measure hashing and every case in random order, print medians and ratios."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks rounds")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--output", type=Path, default=Path(".scratch/benchmarks/rounds.json"))
    options = parser.parse_args(arguments)
    if not (SCRATCH / "done").exists():
        _make()
    work: dict[str, Callable[[], object]] = {"hash": _hash, "replay": _replay}
    work |= {name: partial(_aggregate, case) for name, case in CASES.items()}
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in work}
    order = random.Random(0)
    _aggregate(CASES["trimmed-mean"])  # what the replay reads; and everything is imported and warm
    for _ in range(options.runs):
        for name in order.sample(sorted(work), len(work)):
            if name == "replay":
                _aggregate(CASES["trimmed-mean"])
            samples[name].append(_measured(work[name]))
    _print(samples, options.output)


def _measured(work: Callable[[], object]) -> tuple[float, float]:
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    work()
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def _print(samples: dict[str, list[tuple[float, float]]], output: Path) -> None:
    medians = {
        name: tuple(statistics.median(values) for values in zip(*found, strict=True))
        for name, found in samples.items()
    }
    size = COUNT * SHAPE[0] * SHAPE[1] * 4 / 1e9
    print(f"{COUNT} updates, {size:.1f} GB; ratios to hashing them once with SHA-256 in one thread")
    print(f"{'case':<20} {'CPU s':>7} {'wall s':>7} {'CPU':>6} {'wall':>6} {'GB/s':>6}")
    for name, (cpu, wall) in medians.items():
        base_cpu, base_wall = medians["hash"]
        ratios = f"{cpu / base_cpu:>6.2f} {wall / base_wall:>6.2f} {size / wall:>6.2f}"
        print(f"{name:<20} {cpu:>7.2f} {wall:>7.2f} {ratios}")
    print(f"peak memory of the process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    output.write_text(json.dumps({name: list(found) for name, found in medians.items()}), encoding="utf-8")


def _make() -> None:
    """Make keys, a roster, a base model and the signed updates."""
    (SCRATCH / "updates").mkdir(parents=True, exist_ok=True)
    random_numbers = np.random.default_rng(0)

    def run(*arguments: str) -> None:
        subprocess.run([OURS, *arguments], check=True, cwd=SCRATCH, stdout=subprocess.DEVNULL)

    run("keygen", "maintainer.key")
    run("roster", "init", "roster.toml", "--maintainer", "maintainer.key.pub")
    save_file({"w": np.zeros(SHAPE, np.float32)}, SCRATCH / "base.safetensors")
    for number in range(COUNT):
        name = f"c{number:02d}"
        values = random_numbers.standard_normal(SHAPE, dtype=np.float32)
        save_file({"w": values}, SCRATCH / "updates" / f"{name}.safetensors")
        run("keygen", f"{name}.key")
        run("roster", "add", "roster.toml", name, "--key", f"{name}.key.pub")
        signing = (
            "--contributor",
            name,
            "--key",
            f"{name}.key",
            "--round",
            "bench@1",
            "--base",
            "base.safetensors",
        )
        run("contribute", f"updates/{name}.safetensors", *signing)
    run("roster", "sign", "roster.toml", "--key", "maintainer.key")
    (SCRATCH / "done").touch()


def _hash() -> None:
    for path in sorted((SCRATCH / "updates").glob("*.safetensors")):
        with path.open("rb") as file:
            hashlib.file_digest(file, "sha256")


def _aggregate(case: dict[str, Any]) -> None:
    import provenance

    found = provenance.aggregate(
        SCRATCH / "updates",
        roster=SCRATCH / "roster.toml",
        roster_keys=[SCRATCH / "maintainer.key.pub"],
        round="bench@1",
        output=SCRATCH / "out.safetensors",
        key=SCRATCH / "maintainer.key",
        **case,
    )
    assert found.decision == "accepted"
    assert found.n == COUNT


def _replay() -> None:
    import provenance

    found = provenance.replay(
        SCRATCH / "out.safetensors",
        updates=SCRATCH / "updates",
        roster=SCRATCH / "roster.toml",
        roster_keys=[SCRATCH / "maintainer.key.pub"],
        keys=[SCRATCH / "maintainer.key.pub"],
    )
    assert found.decision == "accepted"
