"""A store of 100,000 statements: indexed, indexed again after a change, traced and followed forward."""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from provenance.attestations.contribution import Contribution, Records, contribution_statement
from provenance.attestations.slsa import derivation, input_descriptor, provenance_statement
from provenance.attestations.statement import Subject
from provenance.attestations.subjects import file_subject
from provenance.lineage.impact import impact_of_contributor, impact_of_reference
from provenance.lineage.opening import open_lineage
from provenance.lineage.references import reference_to
from provenance.lineage.tracing import follow
from provenance.signing.keys import PrivateKey, generate
from provenance.signing.statements import sign_statement, trust_of_keys

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Shape(NamedTuple):
    """How many statements of which kind: 70 % batches, then data sets of 20 batches, then models in generations."""

    batches: int
    sets: int
    models: int


class Took(NamedTuple):
    """Seconds on the clock and of the processor, and what came out."""

    wall: float
    cpu: float
    found: Any

    def __str__(self) -> str:
        return f"{self.wall:.3f} s ({self.cpu:.3f} s of CPU)"


def main(arguments: list[str]) -> None:
    """Make the store, measure each step so many times, print the medians."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks lineage")
    parser.add_argument("--statements", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args(arguments)
    count = options.statements
    shape = Shape(batches=count * 70 // 100, sets=count * 20 // 100, models=count * 10 // 100)
    scratch = Path(".scratch/benchmarks/lineage").resolve()
    shutil.rmtree(scratch, ignore_errors=True)
    for variable in ("XDG_CACHE_HOME", "XDG_STATE_HOME"):
        os.environ[variable] = str(scratch / variable.lower())
    key = generate("ecdsa-p256")
    store = scratch / "store"
    written = _timed(lambda: _make(store, shape, key))
    print(f"{count:,} statements ({written.found}) signed and written: {written}")
    trust = trust_of_keys([key.public_key()])

    def opened() -> Any:
        return open_lineage(None, stores=[store], trust=trust, now=NOW)

    print(f"indexed, every signature verified: {_timed(opened)}")
    print(
        f"indexed again after one change: {_median(lambda: _touch(store), lambda _: opened(), options.runs)}"
    )
    print(f"opened unchanged: {_median(lambda: None, lambda _: opened(), options.runs)}")
    print(f"index: {sum(each.stat().st_size for each in scratch.rglob('*.db')) / 1e6:.0f} MB")
    model, batch = reference_to(_artifact("model", shape.models - 1)), reference_to(_artifact("batch", 0))
    for name, work in (
        (
            "traced",
            lambda found: len(follow(model, found.statements, found.authority, max_depth=64).verdicts),
        ),
        ("a batch followed forward", lambda found: len(impact_of_reference(batch, found).tainted)),
        (
            "a contributor followed forward",
            lambda found: len(impact_of_contributor("person-0", found).tainted),
        ),
    ):
        took = _median(opened, work, options.runs)
        print(f"{name}: {took} for {took.found:,} artifacts")


def _timed(work: Callable[[], Any]) -> Took:
    start, used = time.perf_counter(), time.process_time()
    found = work()
    return Took(time.perf_counter() - start, time.process_time() - used, found)


def _median(prepare: Callable[[], Any], work: Callable[[Any], Any], runs: int) -> Took:
    took = []
    for _ in range(runs):
        ready = prepare()
        took.append(_timed(lambda ready=ready: work(ready)))  # type: ignore[misc]
    return sorted(took, key=lambda each: each.wall)[len(took) // 2]


def _make(store: Path, shape: Shape, key: PrivateKey) -> str:
    for number, statement in enumerate(_statements(shape)):
        folder = store / f"{number // 1000:04}" / ".provenance"
        if number % 1000 == 0:
            folder.mkdir(parents=True)
        (folder / f"{number}.sigstore.json").write_bytes(sign_statement(statement, key))
    return f"{shape.batches:,} batches, {shape.sets:,} data sets, {shape.models:,} models"


def _touch(store: Path) -> None:
    """Write one bundle anew, as signing again does."""
    bundle = store / "0000" / ".provenance" / "0.sigstore.json"
    bundle.write_bytes(bundle.read_bytes())


def _artifact(kind: str, number: int) -> Subject:
    return file_subject(f"{kind}-{number}", hashlib.sha256(f"{kind} {number}".encode()).digest())


def _statements(shape: Shape) -> Iterator[Any]:
    for number in range(shape.batches):
        yield contribution_statement(
            _artifact("batch", number),
            Contribution(
                contributor=f"person-{number % 100}",
                kind="records",
                created_at=NOW,
                records=Records(
                    format="jsonl",
                    leaf_rule="jsonl-raw/1",
                    tree_algorithm="rfc6962-sha256",
                    count=1000,
                    merkle_root="0" * 64,
                ),
                licence="CC-BY-4.0",
            ),
        )
    for number in range(shape.sets):
        yield _made(
            "curate", "set", number, [("batch", (number * 7 + each) % shape.batches) for each in range(20)]
        )
    for number in range(shape.models):
        inputs = [("set", (number * 2 + each) % shape.sets) for each in range(3)]
        # Every tenth model starts a family; the others are fine-tuned from the one before.
        if number % 10:
            inputs.append(("model", number - 1))
        yield _made("train", "model", number, inputs)


def _made(kind: Any, name: str, number: int, inputs: list[tuple[str, int]]) -> Any:
    descriptors = [input_descriptor(_artifact(*each), each[0]) for each in inputs]
    return provenance_statement(
        [_artifact(name, number)], derivation(kind, inputs=descriptors, parameters={})
    )
