"""A million signed records: signing and verifying the batch, proving one, beside a signature for each record."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.processes import Case, measure, table

if TYPE_CHECKING:
    from provenance.attestations.contribution import Contribution

OURS = str(Path(sys.executable).with_name("provenance"))
RECORD_BYTES = 280


def main(arguments: list[str]) -> None:
    """Make the batch, run each step in a process of its own, print the table, then the time of a proof."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks records")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--format", choices=["jsonl", "csv", "parquet"], default="jsonl")
    parser.add_argument("--output", type=Path, default=Path(".scratch/benchmarks/records.json"))
    parser.add_argument("--step", choices=sorted(STEPS), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    scratch = Path(".scratch/benchmarks")
    batch = scratch / f"records-{options.records}.{options.format}"
    if options.step is not None:
        STEPS[options.step](batch)
        return
    scratch.mkdir(parents=True, exist_ok=True)
    key = _key(scratch)
    common = ["--records", str(options.records), "--format", options.format]
    again = [sys.executable, "-m", "benchmarks", "records", *common, "--step"]
    sign = [
        OURS,
        "contribute",
        str(batch),
        "--contributor",
        "alice",
        "--key",
        str(key),
        "--records",
        options.format,
    ]
    subprocess.run([*again, "make"], check=True)
    subprocess.run(sign, check=True, stdout=subprocess.DEVNULL)  # what the other steps read
    plain = "" if options.format == "parquet" else "SHA-256 of each line"
    cases = [
        Case("provenance contribute", sign, plain),
        Case("provenance contribute --leaves", [*sign, "--leaves"], plain),
        Case("verify_records", [*again, "verify"], plain),
        Case("prove_record, from the batch", [*again, "prove"], plain),
    ]
    if plain:
        cases.insert(0, Case(plain, [*again, "hash"]))
        cases.append(Case("Ed25519 signature of every tenth line", [*again, "sign-each"], plain))
    title = f"{options.records:,} {options.format} records, {batch.stat().st_size / 1e6:.0f} MB"
    table(title, cases, measure(cases, options.runs), options.output)
    _proofs(batch)


def _key(scratch: Path) -> Path:
    from provenance.signing.keys import generate, write_key_pair

    key = scratch / "records-key"
    if not key.exists():
        write_key_pair(key, generate("ecdsa-p256"))
    return key


def _make(batch: Path) -> None:
    """Write records of 280 bytes (a Parquet row has the same text), as many as the file's name says."""
    if batch.exists():
        return
    count = int(batch.stem.partition("-")[2])
    text = "a" * (RECORD_BYTES - 40)
    if batch.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        rows = {"id": list(range(count)), "text": [f"{text}{at:027}" for at in range(count)]}
        pq.write_table(pa.table(rows), batch)
        return
    with batch.open("w", encoding="utf-8") as file:
        if batch.suffix == ".csv":
            file.write("id,text\n")
        if batch.suffix == ".csv":
            file.writelines(f'{at:09},"{text:a<{RECORD_BYTES - 13}}"\n' for at in range(count))
        else:
            file.writelines(
                f'{{"id": {at:9}, "text": "{text:a<{RECORD_BYTES - 30}}"}}\n' for at in range(count)
            )


def _hash(batch: Path) -> None:
    from hashlib import sha256

    with batch.open("rb") as file:
        for line in file:
            sha256(b"\0" + line[:-1]).digest()


def _sign_each(batch: Path) -> None:
    from provenance.signing.keys import generate
    from provenance.signing.signatures import sign_bytes

    key = generate("ed25519")
    with batch.open("rb") as file:
        for line in islice(file, 0, None, 10):
            sign_bytes(key, line)


def _verify(batch: Path) -> None:
    from provenance.lineage.record_checks import verify_records

    if verify_records(batch, _contribution(batch)).decision != "accepted":
        sys.exit("the records are not accepted")


def _prove(batch: Path) -> None:
    from provenance.lineage.record_proofs import prove_record

    prove_record(batch, 12_345, _contribution(batch))


def _contribution(batch: Path) -> Contribution:
    from provenance.attestations.contribution import read_contribution
    from provenance.lineage.statements import open_statement, statement_path, trust_of_keys
    from provenance.signing.keys import fingerprint, load_public_key

    public = batch.parent / "records-key.pub"
    bundle = statement_path(batch, "contribution", fingerprint(load_public_key(public)))
    return read_contribution(open_statement(bundle, trust_of_keys([public])).statement)


STEPS: dict[str, Callable[[Path], None]] = {
    "hash": _hash,
    "make": _make,
    "prove": _prove,
    "sign-each": _sign_each,
    "verify": _verify,
}


def _proofs(batch: Path) -> None:
    """Print what a proof takes once the tree is there."""
    from provenance.lineage.record_proofs import record_tree, verify_proof

    contribution = _contribution(batch)
    tree = record_tree(batch, contribution)
    count, turns = tree.tree.count, 10_000
    indices = [at * 7919 % count for at in range(turns)]
    started = time.perf_counter()
    proofs = [tree.prove(index) for index in indices]
    made = time.perf_counter()
    wrong = [found for proof in proofs if (found := verify_proof(proof, contribution)) is not None]
    checked = time.perf_counter()
    if wrong:
        sys.exit("a proof is wrong")
    print(
        f"\na proof: {(made - started) / turns * 1e6:.1f} µs to make, {(checked - made) / turns * 1e6:.1f} to verify"
    )
