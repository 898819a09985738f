"""Fuzz every target, or those that are named, for FUZZ_SECONDS each: half of it by atheris where that is installed.

Each target runs in a process of its own. What is found is printed with the input, and the exit status is 1.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SCRATCH = HERE.parent.parent / ".scratch" / "fuzz"


def main(names: list[str]) -> int:
    """Fuzz the targets one after another; returns the exit status."""
    from fuzz_targets import TARGETS

    seconds = float(os.environ.get("FUZZ_SECONDS", "60"))
    covered = importlib.util.find_spec("atheris") is not None
    SCRATCH.mkdir(parents=True, exist_ok=True)
    total, failed = 0, []
    for name in names or list(TARGETS):
        share = seconds / 2 if covered else seconds
        runs = [_child("hypothesis", [str(HERE / "fuzz.py"), "--mutate", name, str(share)])]
        if covered:
            folder = str(SCRATCH / name)
            runs.append(_child("atheris", [str(HERE / "fuzz_coverage.py"), name, str(int(share)), folder]))
        total += sum(count for count, _ in runs)
        failed += [name] if any(not sound for _, sound in runs) else []
        print(
            f"{name:12} {sum(count for count, _ in runs):9} executions{'' if name not in failed else '  FOUND SOMETHING'}",
            flush=True,
        )
    print(f"{total} executions, {len(failed)} targets with findings {failed or ''}")
    return 1 if failed else 0


def _child(what: str, arguments: list[str]) -> tuple[int, bool]:
    """Run a fuzzer; returns how often it ran its target, and whether it found nothing."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(HERE), str(HERE.parent.parent), os.environ.get("PYTHONPATH", ""))),
    }
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        errors="replace",
    )
    counts = re.findall(r"(?:number_of_executed_units: *|Done |#)(\d+)", done.stdout + done.stderr)
    if done.returncode:
        print(f"--- {what}: {' '.join(arguments[-3:])}\n{(done.stdout + done.stderr)[-6000:]}", flush=True)
    return max((int(count) for count in counts), default=0), done.returncode == 0


def _mutate(name: str, seconds: float) -> None:
    from fuzz_bounds import bounded
    from fuzz_mutations import run_mutations
    from fuzz_seeds import SEEDS
    from fuzz_targets import TARGETS

    print("Done", run_mutations(bounded(TARGETS[name]), SEEDS[name](), seconds))


if __name__ == "__main__":
    sys.path[:0] = [str(HERE), str(HERE.parent.parent)]
    if sys.argv[1:2] == ["--mutate"]:
        _mutate(sys.argv[2], float(sys.argv[3]))
    else:
        sys.exit(main(sys.argv[1:]))
