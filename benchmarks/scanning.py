"""Scanners side by side on a corpus that is generated here: what each refuses, and how long it takes.

Rates are published, never which file got past whom.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import random
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.processes import Case, make_peer, measure, table
from benchmarks.signing import OURS

_JUDGES = Path(__file__).with_name("corpus") / "judges.py"
_LIBRARIES = (
    *(
        "torch==2.13.0",
        "numpy",
        "scikit-learn",
        "pandas",
        "scipy",
        "joblib",
        "xgboost",
        "lightgbm",
        "onnx",
        "h5py",
    ),
    *("gguf", "keras", "safetensors"),
)
_PEERS: Mapping[str, tuple[str, ...]] = {
    "picklescan": ("picklescan==1.0.5", "numpy"),
    "modelscan": ("modelscan==0.8.8", "numpy<2.4"),
    "fickling": ("fickling==0.1.12", "typing_extensions"),
    "modelaudit": ("modelaudit==0.2.54",),
}
_MODELS = """version = 1
[formats]
allow = ["safetensors", "numpy", "json", "text", "zip"]
pickle = "allowlist"
profiles = ["tensors", "numpy", "scipy", "sklearn", "pandas", "xgboost", "lightgbm"]
"""


class Rate(NamedTuple):
    """How many files of a set were refused, and how many a scanner gave up on."""

    files: int
    refused: int
    failed: int
    seconds: float

    def row(self) -> str:
        """Two shares in per cent: refused, and refused or given up."""
        return (
            f"{100 * self.refused / self.files:.1f} | {100 * (self.refused + self.failed) / self.files:.1f}"
        )


def main(arguments: list[str]) -> None:
    """Make the corpus, let every scanner judge it, then time them; prints tables and writes JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks scanning")
    parser.add_argument("--runs", type=int, default=5, help="runs of each timed command; 0 for rates alone")
    parser.add_argument("--peers", type=Path, default=Path(".scratch/peers"), help="folder of environments")
    parser.add_argument("--corpus-python", default="", help="a python with the libraries of the corpus")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=2000, help="about how many malicious pickles")
    parser.add_argument("--sample", type=int, default=0, help="files of each set, drawn at random; 0 for all")
    parser.add_argument("--only", default="", help="scanners, separated by commas")
    parser.add_argument("--output", type=Path, default=Path(".scratch/benchmarks/scanning.json"))
    options = parser.parse_args(arguments)
    corpus = _corpus(options.corpus_python, options.seed, options.count)
    pythons = _pythons(options.peers, options.only)
    results = {}
    for tool, python in pythons.items():
        results[tool] = _rates(tool, python, corpus, options.sample)
        _keep(results, options.output)
    _publish(results)
    if options.runs:
        _speed(pythons, options.runs, options.output)


def _corpus(python: str, seed: int, count: int) -> Path:
    root = Path(".scratch/benchmarks") / f"scanning-{seed}-{count}"
    if not (root / "done").exists():
        python = python or str(make_peer("corpus", *_LIBRARIES))
        command = [python, "-m", "benchmarks.corpus", str(root), "--seed", str(seed), "--count", str(count)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        (root / "done").touch()
    return root


def _pythons(peers: Path, only: str) -> dict[str, str]:
    """The interpreter of each scanner; environments that are missing are made."""
    wanted = only.split(",") if only else ["provenance", *_PEERS]
    found = {}
    for name in wanted:
        if name == "provenance":
            found[name] = sys.executable
        else:
            python = peers / name / "bin" / "python"
            found[name] = str(python if python.exists() else make_peer(name, *_PEERS[name]))
    if "picklescan" in found:
        found["picklescan --strict"] = found["picklescan"]
    return found


def _rates(tool: str, python: str, corpus: Path, sample: int) -> dict[str, Rate]:
    """Rates by set and family. Models are judged under a policy that names their libraries' profiles."""
    policy = corpus / "models.toml"
    policy.write_text(_MODELS)
    found: dict[str, Rate] = {}
    for part in ("malicious", "harmless", "models"):
        arguments = [str(policy)] if (part, tool) == ("models", "provenance") else []
        found |= _judge([python, str(_JUDGES), tool, *arguments], corpus, part, sample)
    print(f"{tool} has judged", file=sys.stderr)
    return found


def _judge(command: Sequence[str], corpus: Path, part: str, sample: int) -> dict[str, Rate]:
    """Rates of one set: in all, and by family."""
    files = sorted(str(path) for path in (corpus / part).rglob("*") if path.is_file())
    if 0 < sample < len(files):
        files = sorted(random.Random(0).sample(files, sample))
    answers = _ask(command, files)
    by_family: dict[str, list[dict[str, float]]] = defaultdict(list)
    for file in files:
        answer = answers.get(file, {"refused": 0, "failed": 1, "seconds": 0})
        by_family[part].append(answer)
        by_family[f"{part}: {Path(file).relative_to(corpus / part).parts[0]}"].append(answer)
    return {name: _rate(group) for name, group in by_family.items()}


def _ask(command: Sequence[str], files: Sequence[str]) -> dict[str, dict[str, float]]:
    """Answers by file; a scanner that dies is started again behind the file that it died of."""
    answers: dict[str, dict[str, float]] = {}
    pending = list(files)
    while pending:
        told = "\n".join(pending)
        environment = {**os.environ, "PROMPTFOO_DISABLE_TELEMETRY": "1", "PYTHONPATH": str(Path.cwd())}
        done = subprocess.run(
            command, input=told, capture_output=True, text=True, env=environment, check=False
        )
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.endswith("}")]
        answers |= {line["path"]: line for line in lines}
        pending = pending[len(lines) + 1 :]
    return answers


def _rate(answers: Iterable[dict[str, float]]) -> Rate:
    group = list(answers)
    refused = sum(bool(answer["refused"]) for answer in group)
    failed = sum(bool(answer["failed"] and not answer["refused"]) for answer in group)
    return Rate(len(group), refused, failed, sum(answer["seconds"] for answer in group))


def _publish(results: Mapping[str, Mapping[str, Rate]]) -> None:
    print("\nrefused, and refused or given up on, in per cent\n")
    print("| scanner | malicious | or given up | harmless | or given up | models | or given up |")
    print("|---|---|---|---|---|---|---|")
    for tool, found in results.items():
        print(f"| {tool} | {' | '.join(found[part].row() for part in ('malicious', 'harmless', 'models'))} |")
    if "provenance" in results:
        print("\n| provenance, by family | files | refused | or given up |\n|---|---|---|---|")
        for name, rate in results["provenance"].items():
            print(f"| {name} | {rate.files} | {rate.row()} |")


def _keep(results: Mapping[str, Mapping[str, Rate]], output: Path) -> None:
    """Add the rates to the JSON file."""
    output.parent.mkdir(parents=True, exist_ok=True)
    rates = {tool: {name: rate._asdict() for name, rate in found.items()} for tool, found in results.items()}
    document = json.loads(output.read_text()) if output.exists() else {}
    rates = {**document.get("rates", {}), **rates}
    output.write_text(json.dumps({**document, "rates": rates}, indent=2) + "\n")


_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "provenance": (OURS, "scan"),
    "picklescan": ("picklescan", "--path"),
    "modelscan": ("modelscan", "--path"),
    "modelaudit": ("modelaudit", "scan"),
}


def _speed(pythons: Mapping[str, str], runs: int, output: Path) -> None:
    """Whole commands: start-up, 2,000 small pickles, a torch zip of 1 GiB."""
    os.environ["PROMPTFOO_DISABLE_TELEMETRY"] = "1"
    scratch = Path(".scratch/benchmarks")
    inputs = {
        "start-up: one small pickle": _small(scratch / "pickles-1", 1),
        "2,000 small pickles": _small(scratch / "pickles-2000", 2000),
        "a torch zip of 1 GiB": _large(scratch / "large.pt"),
    }
    for title, path in inputs.items():
        cases = []
        for tool, command in _COMMANDS.items():
            if tool in pythons and not (tool == "modelaudit" and path.is_dir() and "2,000" in title):
                program = (
                    command[0] if tool == "provenance" else str(Path(pythons[tool]).with_name(command[0]))
                )
                to = "picklescan" if tool != "picklescan" and "picklescan" in pythons else ""
                cases.append(Case(tool, [program, *command[1:], str(path)], to))
        table(title, cases, measure(cases, runs), output)


def _small(root: Path, count: int) -> Path:
    """Pickles of a few dozen values, of the kind that tokenizers and label encoders leave behind."""
    rng = random.Random(0)
    root.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        path = root / f"{index:04}.pkl"
        if not path.exists():
            value = {f"word{number}": [rng.random(), number, "text"] for number in range(40)}
            path.write_bytes(pickle.dumps(value))
    return root


def _large(path: Path) -> Path:
    """A checkpoint of 64 tensors of 16 MiB."""
    if not path.exists():
        import torch

        torch.save({f"layer.{index}.weight": torch.randn(1024, 4096) for index in range(64)}, path)
    return path
