"""Signing and verifying beside the reference tool and ``openssl dgst``: large files, many files, start-up."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.processes import Case, make_peer, measure, table

OURS = str(Path(sys.executable).with_name("provenance"))


def main(arguments: list[str]) -> None:
    """Make the inputs, run the cases, print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks signing")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--mebibytes", type=int, default=2048, help="size of the large model, in 8 files")
    parser.add_argument("--files", type=int, default=20_000, help="number of small files, 4 KiB each")
    parser.add_argument("--peer-python", default="", help="a python that has model-signing and pyOpenSSL")
    parser.add_argument("--output", type=Path, default=Path(".scratch/benchmarks/signing.json"))
    options = parser.parse_args(arguments)
    peer = options.peer_python or str(make_peer("model-signing", "model-signing", "pyOpenSSL"))
    scratch = Path(".scratch/benchmarks")
    key = _key(scratch)
    for title, model in (
        (
            f"{options.mebibytes} MiB in 8 files",
            _large(scratch / f"large-{options.mebibytes}", options.mebibytes),
        ),
        (f"{options.files} files of 4 KiB", _many(scratch / f"many-{options.files}", options.files)),
    ):
        cases = _cases(peer, model, key)
        table(title, cases, measure(cases, options.runs), options.output)
    cases = [Case("model_signing --help", [peer, "-m", "model_signing", "--help"])]
    cases += [Case("provenance --help", [OURS, "--help"], "model_signing --help")]
    small = _many(scratch / "small", 3)
    subprocess.run([OURS, "sign", str(small), "--key", str(key)], check=True, stdout=subprocess.DEVNULL)
    cases += [Case("provenance verify, 3 files", [OURS, "verify", str(small), "--key", f"{key}.pub"])]
    table("start-up", cases, measure(cases, options.runs), options.output)


def _cases(peer: str, model: Path, key: Path) -> list[Case]:
    theirs, reference = model.with_name(model.name + ".reference.sig"), [peer, "-m", "model_signing"]
    sign = [*reference, "sign", "key", str(model), "--private_key", str(key), "--signature", str(theirs)]
    verify = [
        *reference,
        "verify",
        "key",
        str(model),
        "--public_key",
        f"{key}.pub",
        "--signature",
        str(theirs),
    ]
    ours = str(model.with_name(model.name + ".ours.sig"))
    mine = [str(model), "--signature", ours]
    sign_ours = [OURS, "sign", *mine, "--key", str(key)]
    for before in (sign, sign_ours):  # the cases run in random order, and verifying needs something signed
        subprocess.run(before, check=True, stdout=subprocess.DEVNULL)
    files = sorted(str(each) for each in model.rglob("*") if each.is_file())
    cases = []
    if len(files) < 1000:
        cases.append(Case("openssl dgst -sha256", ["openssl", "dgst", "-sha256", *files]))
    base = cases[0].name if cases else ""
    return [
        *cases,
        Case("model_signing sign", sign, base),
        Case("provenance sign", sign_ours, base or "model_signing sign"),
        Case("model_signing verify", verify, base),
        Case(
            "provenance verify",
            [OURS, "verify", *mine, "--key", f"{key}.pub"],
            base or "model_signing verify",
        ),
    ]


def _key(scratch: Path) -> Path:
    key = scratch / "key"
    scratch.mkdir(parents=True, exist_ok=True)
    if not key.exists():
        subprocess.run([OURS, "keygen", str(key)], check=True, stdout=subprocess.DEVNULL)
    return key


def _large(root: Path, mebibytes: int) -> Path:
    """Eight safetensors files with one random tensor each."""
    if not root.exists():
        root.mkdir(parents=True)
        size = mebibytes * 1024 * 1024 // 8
        header = b'{"w":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]}}' % (size, size)
        for index in range(8):
            with (root / f"model-{index}.safetensors").open("wb") as file:
                file.write(len(header).to_bytes(8, "little") + header)
                for _ in range(0, size, 1024 * 1024):
                    file.write(os.urandom(1024 * 1024))
    return root


def _many(root: Path, count: int) -> Path:
    """Text files of 4 KiB, 500 a directory."""
    for index in range(count if not root.exists() else 0):
        directory = root / f"{index // 500:04}"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{index}.txt").write_text(os.urandom(2048).hex())
    return root
