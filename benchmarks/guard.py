"""What the guard costs: loads inside of it, and loads in a process that left it, beside a process that had none.

Each process is of one kind, for no hook can be removed; processes of the kinds take turns in random order, so that a
drift of the machine meets all alike. CPU time.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import pickle
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["main"]

KINDS = ("never", "inside", "after")
FOLDER = Path(".scratch/benchmarks")


def main(arguments: list[str]) -> None:
    """Make the files, run processes of each kind, print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks guard")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--output", type=Path, default=FOLDER / "guard.json")
    parser.add_argument("--kind", choices=KINDS, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.kind:
        print(json.dumps(_measure(_loads(), options.kind)))
        return
    _files()
    order = random.Random(0)
    samples: dict[str, dict[str, list[float]]] = {}
    for _ in range(options.runs):
        for kind in order.sample(KINDS, len(KINDS)):
            for name, taken in _run(kind).items():
                samples.setdefault(name, {each: [] for each in KINDS})[kind].append(taken)
    figures = {
        name: {kind: statistics.median(each) for kind, each in by_kind.items()}
        for name, by_kind in samples.items()
    }
    _table(figures)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(figures, indent=2) + "\n")


def _run(kind: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks", "guard", "--kind", kind]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _files() -> None:
    import numpy as np
    import torch
    from safetensors.torch import save_file

    FOLDER.mkdir(parents=True, exist_ok=True)
    tensors = {f"layers.{index}.weight": torch.randn(256, 256) for index in range(200)}
    torch.save(tensors, FOLDER / "guard.pt")
    save_file(tensors, str(FOLDER / "guard.safetensors"))
    np.save(FOLDER / "guard.npy", np.arange(1_000_000.0))


def _loads() -> dict[str, Callable[[], Any]]:
    """Loads of each kind, from files of the usual sizes."""
    import numpy as np
    import torch
    from safetensors.torch import load_file

    torch.set_num_threads(1)
    zipped, plain, array = (str(FOLDER / name) for name in ("guard.pt", "guard.safetensors", "guard.npy"))
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


def _measure(loads: dict[str, Callable[[], Any]], kind: str) -> dict[str, float]:
    """The median of each load, in seconds, in a process of this kind."""
    order = random.Random(0)
    samples: dict[str, list[float]] = {name: [] for name in loads}
    with contextlib.ExitStack() as stack:
        import provenance

        # In every process, for it is not the modules that are measured, and what they leave in the memory.
        provenance.scan(FOLDER / "guard.pt")
        if kind != "never":
            guard = stack.enter_context(provenance.guard(policy="harmless"))
            assert guard.decision == "accepted"
            if kind == "after":
                stack.close()
        for turn in range(8):
            for name in order.sample(list(loads), len(loads)):
                started = time.process_time()
                loads[name]()
                taken = time.process_time() - started
                if turn:
                    samples[name].append(taken)
    return {name: statistics.median(found) for name, found in samples.items()}


def _table(figures: dict[str, dict[str, float]]) -> None:
    print("\nCPU time, medians in ms, and ratios to a process that had no guard\n")
    print("| load | no guard | inside one | after one | inside | after |\n|---|---|---|---|---|---|")
    for name, found in figures.items():
        never, inside, after = (found[kind] for kind in KINDS)
        times = " | ".join(f"{1000 * found[kind]:.3f}" for kind in KINDS)
        print(f"| {name} | {times} | {inside / never:.2f} | {after / never:.3f} |")
