"""From a model back to one signed record, and forward from a revoked key, told step by step.

Five people write down images of digits and sign their batches; the batches are curated to one data set, and a small
model is trained on it. Run it with `python -m examples.lineage` where scikit-learn is installed; `make demo` does.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

PEOPLE = ("amira", "ben", "chen", "dora", "elif")
HOME = Path(".scratch/lineage")
BIN = Path(sys.executable).parent
CHECK = Path(__file__).parents[1] / "check_proof.py"
POLICY = """version = 1

[signatures]
accept = ["trainer"]

[signers.trainer]
keys = ["trainer.key.pub"]

[lineage]
require = "proven"

[contributors]
roster = "roster.toml"
roster_keys = ["maintainer.key.pub"]
"""


def say(text: str) -> None:
    """Narrate, in bold on a terminal."""
    bold, plain = ("\033[1m", "\033[0m") if sys.stdout.isatty() and "NO_COLOR" not in os.environ else ("", "")
    print(f"\n{bold}{text}{plain}", flush=True)


def provenance(*arguments: str, expect: int = 0, show: bool = True) -> str:
    """Run one command of provenance in the example's folder and stop where it does not end as it must."""
    if show:
        print(f"$ provenance {' '.join(arguments)}", flush=True)
    command = [str((BIN / "provenance").absolute()), *arguments]
    done = subprocess.run(command, cwd=HOME, check=False, capture_output=True, text=True)
    if show:
        print(done.stdout.rstrip(), flush=True)
    if done.returncode != expect:
        sys.exit(
            f"the example is broken: exit status {done.returncode}, not {expect}\n{done.stdout}{done.stderr}"
        )
    return done.stdout


def write_batches() -> None:
    """Share the images of scikit-learn's digits out among five people, a JSON line each."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    for number, name in enumerate(PEOPLE):
        lines = [
            json.dumps({"pixels": digits.data[row].astype(int).tolist(), "digit": int(digits.target[row])})
            for row in range(number, 1500, len(PEOPLE))
        ]
        (HOME / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def curate() -> None:
    """Merge the batches and leave out the darkest images; what is kept is kept as it was."""
    kept = [
        line
        for name in PEOPLE
        for line in (HOME / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        if sum(json.loads(line)["pixels"]) > 200
    ]
    (HOME / "digits.jsonl").write_text("\n".join(kept) + "\n", encoding="utf-8")


def train() -> float:
    """Train a linear classifier, and return the share of unseen digits that it gets right."""
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression

    rows = [json.loads(line) for line in (HOME / "digits.jsonl").read_text(encoding="utf-8").splitlines()]
    pixels = np.array([row["pixels"] for row in rows]) / 16
    model = LogisticRegression(max_iter=500).fit(pixels, [row["digit"] for row in rows])
    (HOME / "model").mkdir()
    weights = {"weight": model.coef_.astype(np.float32), "bias": model.intercept_.astype(np.float32)}
    save_file(weights, HOME / "model" / "model.safetensors")
    digits = load_digits()
    return float(model.score(digits.data[1500:] / 16, digits.target[1500:]))


def prepare() -> None:
    """Make keys, the roster and the policy."""
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(parents=True)
    for key in ("maintainer", "curator", "trainer", *PEOPLE):
        provenance("keygen", f"{key}.key", show=False)
    provenance("roster", "init", "roster.toml", "--maintainer", "maintainer.key.pub", show=False)
    for name in PEOPLE:
        provenance("roster", "add", "roster.toml", name, "--key", f"{name}.key.pub", show=False)
    provenance("roster", "sign", "roster.toml", "--key", "maintainer.key", show=False)
    (HOME / "policy.toml").write_text(POLICY, encoding="utf-8")


def main() -> None:
    """Tell the story."""
    prepare()
    os.environ["XDG_STATE_HOME"] = str((HOME / "state").absolute())  # what was seen of this roster stays here
    say("1. Five people, each with a key in the roster, sign their batches of records.")
    write_batches()
    for name in PEOPLE:
        provenance(
            *("contribute", f"{name}.jsonl", "--contributor", name, "--key", f"{name}.key"),
            *("--records", "jsonl", "--licence", "CC-BY-4.0"),
            show=name == PEOPLE[0],
        )
    say("2. A curator merges them; unedited records keep their origin by their hashes alone.")
    curate()
    inputs = [each for name in PEOPLE for each in ("--input", f"batch={name}.jsonl")]
    provenance("attest", "digits.jsonl", "--kind", "curate", *inputs, "--key", "curator.key")
    say("3. A model is trained on the data set, and both statements are signed.")
    print(f"accuracy on unseen digits: {train():.1%}")
    provenance("sign", "model", "--key", "trainer.key")
    provenance(
        *("attest", "model", "--kind", "train", "--input", "dataset=digits.jsonl"),
        *("--parameter", "rounds=500", "--key", "trainer.key"),
    )
    trusted = ("--key", "trainer.key.pub", "--key", "curator.key.pub")
    listed = ("--store", ".", "--roster", "roster.toml", "--roster-key", "maintainer.key.pub")
    say("4. Where does the model come from?")
    provenance("lineage", "trace", "model", *trusted, *listed)
    say(
        "5. Who gave record 1000 of the data set? The proof is checked by a few lines of Python's own library."
    )
    told = json.loads(
        provenance(
            *("lineage", "trace", "digits.jsonl", "--record", "1000", *trusted, *listed, "--format", "json"),
            show=False,
        )
    )
    record = told["record"]
    print(f"record {record['index']} is {record['origin']}, from {record['contributor']}")
    line = (HOME / "digits.jsonl").read_bytes().splitlines()[record["index"]]
    proof = {**record["proof"], "record": base64.b64encode(line).decode()}
    (HOME / "proof.json").write_text(json.dumps(proof), encoding="utf-8")
    subprocess.run(
        [sys.executable, CHECK, HOME / "proof.json", signed_root(record["contributor"])], check=True
    )
    print("examples/check_proof.py: the record stands under the Merkle root that its contributor signed")
    audit(*listed)
    revoke(record["contributor"], *trusted, *listed)


def signed_root(name: str) -> str:
    """Return the Merkle root that a contributor signed, from the verified statement."""
    from provenance.attestations.contribution import read_contribution
    from provenance.lineage.statements import open_statement, trust_of_keys

    (bundle,) = (HOME / ".provenance").glob(f"{name}.jsonl.contribution.*.sigstore.json")
    signed = open_statement(bundle, trust_of_keys([HOME / f"{name}.key.pub"]))
    records = read_contribution(signed.statement).records
    assert records is not None
    return records.merkle_root


def audit(*listed: str) -> None:
    """Write the page for whoever must answer for the model."""
    say("6. The audit, for a person who must answer for the model.")
    text = (HOME / "policy.toml").read_text(encoding="utf-8")
    text = text.replace('accept = ["trainer"]', 'accept = ["trainer", "curator"]')
    (HOME / "policy.toml").write_text(
        text + '\n[signers.curator]\nkeys = ["curator.key.pub"]\n', encoding="utf-8"
    )
    provenance("audit", "model", "--policy", "policy.toml", *listed, "--format", "html", "-o", "audit.html")
    print(f"a page that loads nothing: {HOME / 'audit.html'}")


def revoke(name: str, *options: str) -> None:
    """Revoke a key, and see what it taints."""
    say(f"7. The key of {name} turns out to be stolen. What does it taint, and does the model still load?")
    provenance("roster", "revoke", "roster.toml", name, "--reason", "the key was stolen", show=False)
    provenance("roster", "sign", "roster.toml", "--key", "maintainer.key", show=False)
    provenance("lineage", "impact", "--contributor", name, *options)
    import provenance as library

    try:
        library.load(HOME / "model", policy=HOME / "policy.toml", store=HOME)
    except library.ProvenanceError as error:
        print(
            f">>> provenance.load('model', policy='policy.toml', store='.')\n{type(error).__name__}: {error}"
        )
    else:
        sys.exit("the example is broken: the model was loaded")
    provenance(
        *(
            "audit",
            "model",
            "--policy",
            "policy.toml",
            *options[4:],
            "--format",
            "html",
            "-o",
            "revoked.html",
        ),
        expect=1,
        show=False,
    )


if __name__ == "__main__":
    main()
