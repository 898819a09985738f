"""A verified load beside an unverified one, and beside verifying first and loading then; each in a fresh process."""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.processes import Case, make_peer, measure, table
from benchmarks.signing import OURS, _key

CLONE = "from safetensors.torch import load_file\nx = [t.clone() for t in load_file({path!r}).values()]"
CALL = "x = provenance.load({path!r}, keys={key!r}, framework='torch')"
TOUCH = "from safetensors.torch import load_file\nx = [t.view(-1)[::1024].sum() for t in load_file({path!r}).values()]"
LOAD = f"import torch\nimport provenance\n{CALL}"
# The call alone, in a process that has imported everything.
TIMED = """import time
import torch
import safetensors.torch
import provenance
provenance.load
started = time.perf_counter()
{call}
print(time.perf_counter() - started)"""
TWO_READS = "model_signing verify, load_file, touch"
IMPORT = "import torch\nimport safetensors.torch"
# What every copy of the file must pay at least: memory that the kernel, or the host behind it, has to find first.
FRESH = f"{IMPORT}\nx = torch.empty({{size}}, dtype=torch.uint8).fill_(1)"
MAKE = """import torch
from safetensors.torch import save_file
save_file({{f"layer.{{index}}.weight": torch.randn(1024, 4096) for index in range({count})}}, {path!r})"""


def main(arguments: list[str]) -> None:
    """Make the file, run the cases, print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks loading")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--mebibytes", type=int, default=2048)
    parser.add_argument("--peer-python", default="", help="a python that has model-signing and pyOpenSSL")
    parser.add_argument("--output", type=Path, default=Path(".scratch/benchmarks/loading.json"))
    options = parser.parse_args(arguments)
    peer = options.peer_python or str(make_peer("model-signing", "model-signing", "pyOpenSSL"))
    scratch = Path(".scratch/benchmarks")
    key, path = _key(scratch), scratch / f"one-{options.mebibytes}.safetensors"
    _one(path, options.mebibytes)
    subprocess.run([OURS, "sign", str(path), "--key", str(key)], check=True, stdout=subprocess.DEVNULL)
    bundle = f"{path}.reference.sig"
    reference = [peer, "-m", "model_signing"]
    sign = [*reference, "sign", "key", str(path), "--private_key", str(key), "--signature", bundle]
    subprocess.run(sign, check=True, stdout=subprocess.DEVNULL)
    verify = [*reference, "verify", "key", str(path), "--public_key", f"{key}.pub", "--signature", bundle]
    names = {"path": str(path), "key": f"{key}.pub"}
    both = f"import subprocess\nsubprocess.run({verify!r}, check=True, stdout=-3)\n{TOUCH.format(**names)}"
    cases = [
        Case("import torch", [sys.executable, "-c", IMPORT]),
        Case("fresh memory, filled", [sys.executable, "-c", FRESH.format(size=options.mebibytes << 20)]),
        Case("load_file + clone", [sys.executable, "-c", CLONE.format(**names)]),
        Case(TWO_READS, [sys.executable, "-c", both]),
        Case("provenance.load", [sys.executable, "-c", LOAD.format(**names)], "load_file + clone"),
    ]
    figures = measure(cases, options.runs)
    table(f"loading {options.mebibytes} MiB", cases, figures, options.output)
    idle = figures["import torch"]
    print("\nwithout the time to import torch:")
    mine = figures["provenance.load"].wall - idle.wall
    for name in ("fresh memory, filled", "load_file + clone", TWO_READS):
        print(f"  wall ratio to {name}: {mine / (figures[name].wall - idle.wall):.2f}")
    print(
        f"  memory beyond tensors and torch: {figures['provenance.load'].peak - idle.peak - options.mebibytes:.0f} MiB"
    )
    ours, theirs = _calls((CALL.format(**names), CLONE.format(**names)), options.runs)
    print(f"\nthe call alone: {ours:.3f} s, load_file + clone {theirs:.3f} s, wall ratio {ours / theirs:.2f}")


def _calls(calls: tuple[str, ...], runs: int) -> list[float]:
    """Median wall seconds of some calls, each in a fresh process, in another order each time."""
    order, seconds = random.Random(0), [list[float]() for _ in calls]
    for _ in range(runs):
        for number in order.sample(range(len(calls)), len(calls)):
            script = TIMED.format(call=calls[number])
            said = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
            seconds[number].append(float(said.stdout))
    return [statistics.median(each) for each in seconds]


def _one(path: Path, mebibytes: int) -> None:
    """A file of float32 tensors of 16 MiB, made by another process: a child's peak counts its parent's memory."""
    if not path.exists():
        script = MAKE.format(count=mebibytes // 16, path=str(path))
        subprocess.run([sys.executable, "-c", script], check=True)
