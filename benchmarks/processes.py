"""Whole processes, measured by the operating system: user and system time, wall time, peak memory."""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = ["Case", "Figures", "make_peer", "measure", "table"]


class Figures(NamedTuple):
    """Medians over the runs of one command: seconds, and peak resident memory in MiB."""

    user: float
    cpu: float
    wall: float
    peak: float


class Case(NamedTuple):
    """A command with a name, and the name of the case that its ratios are to."""

    name: str
    command: Sequence[str]
    to: str = ""


def measure(cases: Sequence[Case], runs: int) -> dict[str, Figures]:
    """Run all cases ``runs`` times after one warm-up, in another order each time.

    A drift of the machine meets all of them so, and none always comes after one that leaves it memory to reuse.
    """
    order = random.Random(0)
    samples: dict[str, list[Figures]] = {case.name: [] for case in cases}
    for turn in range(runs + 1):
        for case in order.sample(cases, len(cases)):
            found = _run(case.command)
            if turn:
                samples[case.name].append(found)
    return {
        name: Figures(*(statistics.median(values) for values in zip(*found, strict=True)))
        for name, found in samples.items()
    }


def _run(command: Sequence[str]) -> Figures:
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - started
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{said.decode(errors='replace')[-2000:]}")
    return Figures(used.ru_utime, used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024)


def make_peer(name: str, *packages: str) -> Path:
    """Make (once) an environment of its own for a peer and return its python."""
    python = Path(".scratch/peers") / name / "bin" / "python"
    if not python.exists():
        print(f"installing {' '.join(packages)} into {python.parent.parent}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(python.parent.parent)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True)
    return python


def table(title: str, cases: Sequence[Case], figures: dict[str, Figures], output: Path) -> None:
    """Print the medians and the ratios of CPU and wall time, and add them to the JSON file."""
    print(f"\n{title}\n")
    print("| case | user s | CPU s | wall s | peak MiB | CPU ratio | user ratio | wall ratio | to |")
    print("|---|---|---|---|---|---|---|---|---|")
    for case in cases:
        mine = figures[case.name]
        line = f"| {case.name} | {mine.user:.2f} | {mine.cpu:.2f} | {mine.wall:.2f} | {mine.peak:.0f} |"
        if case.to:
            other = figures[case.to]
            ratios = mine.cpu / other.cpu, mine.user / other.user, mine.wall / other.wall
            line += "".join(f" {ratio:.2f} |" for ratio in ratios) + f" {case.to} |"
        else:
            line += " | | | |"
        print(line)
    document = json.loads(output.read_text()) if output.exists() else {}
    document[title] = {name: found._asdict() for name, found in figures.items()}
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(document, indent=2) + "\n")
