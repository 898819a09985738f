"""What the guard costs: loads inside of it beside the same loads without, and loads in a process that left it.

One process makes all measurements in turns of random order, so that a drift of the machine meets all alike. CPU time.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import pickle
import random
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

__all__ = ["main"]

STATES = ("before any guard", "inside a guard", "after a guard")


def main(arguments: list[str]) -> None:
    """Make the files, measure each load in each state, print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks guard")
    parser.add_argument("--runs", type=int, default=41)
    parser.add_argument("--output", type=Path, default=Path(".scratch/benchmarks/guard.json"))
    options = parser.parse_args(arguments)
    loads = _loads(Path(".scratch/benchmarks"))
    figures: dict[str, dict[str, float]] = {name: {} for name in loads}
    # No hook can be removed, so what was never guarded is measured first, and again beside what was.
    _measure(loads, {"before any guard": contextlib.nullcontext}, options.runs, figures)
    _measure(
        loads, {"inside a guard": _guarded, "after a guard": contextlib.nullcontext}, options.runs, figures
    )
    _table(figures)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(figures, indent=2) + "\n")


@contextlib.contextmanager
def _guarded() -> Iterator[None]:
    import provenance

    with provenance.guard(policy="harmless"):
        yield


def _loads(folder: Path) -> dict[str, Callable[[], Any]]:
    """Loads of each kind, from files of the usual sizes."""
    import numpy as np
    import torch
    from safetensors.torch import load_file, save_file

    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"layers.{index}.weight": torch.randn(256, 256) for index in range(200)}
    zipped, plain, array = (str(folder / name) for name in ("guard.pt", "guard.safetensors", "guard.npy"))
    torch.save(tensors, zipped)
    save_file(tensors, plain)
    np.save(array, np.arange(1_000_000.0))
    small = pickle.dumps({"label": 3, "name": "x" * 50, "box": [1.0, 2.0, 3.0, 4.0]})
    large = pickle.dumps({f"key {index}": [float(index)] * 8 for index in range(5000)})
    return {
        "pickle.loads, 100 bytes (x 1000)": lambda: [pickle.loads(small) for _ in range(1000)],
        "pickle.loads, 5,000 lists": lambda: pickle.loads(large),
        "pickle.load, 5,000 lists": lambda: pickle.load(io.BytesIO(large)),
        "torch.load, 200 tensors, 50 MiB": lambda: torch.load(zipped),
        "the same, weights_only=False": lambda: torch.load(zipped, weights_only=False),
        "safetensors load_file and clone, the same": lambda: [t.clone() for t in load_file(plain).values()],
        "numpy.load, 8 MB": lambda: np.load(array),
        "open and close a file (x 1000)": lambda: [_open(array) for _ in range(1000)],
    }


def _open(path: str) -> bool:
    with open(path, "rb") as file:
        return file.closed


def _measure(
    loads: dict[str, Callable[[], Any]],
    states: dict[str, Callable[[], contextlib.AbstractContextManager[Any]]],
    runs: int,
    figures: dict[str, dict[str, float]],
) -> None:
    order = random.Random(0)
    samples: dict[tuple[str, str], list[float]] = {(name, state): [] for name in loads for state in states}
    for turn in range(runs + 1):
        for state in order.sample(list(states), len(states)):
            with states[state]():
                for name in order.sample(list(loads), len(loads)):
                    loads[name]()  # warm, after another one
                    started = time.process_time()
                    loads[name]()
                    taken = time.process_time() - started
                    if turn:
                        samples[name, state].append(taken)
    for (name, state), found in samples.items():
        figures[name][state] = statistics.median(found)


def _table(figures: dict[str, dict[str, float]]) -> None:
    print("\nCPU time, medians in ms, and ratios to a process that was never guarded\n")
    print(f"| load | {' | '.join(STATES)} | inside | after |\n|---|---|---|---|---|---|")
    for name, found in figures.items():
        never, inside, after = (found[state] for state in STATES)
        times = " | ".join(f"{1000 * found[state]:.3f}" for state in STATES)
        print(f"| {name} | {times} | {inside / never:.2f} | {after / never:.3f} |")
