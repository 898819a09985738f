"""Files that would import, open, start or compile something if they were loaded: scanned, they do nothing at all.

A process arms an audit hook that knows no exception but reading the files themselves, and scans one of every kind.
"""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.corpus.calls import CALLS
from benchmarks.corpus.containers import CONTAINERS
from benchmarks.corpus.exhaustion import exhausting
from benchmarks.corpus.forgeries import forgeries, plain_forgeries
from benchmarks.corpus.gadgets import GADGETS, Gadget
from benchmarks.corpus.opcodes import glob
from benchmarks.corpus.operands import OPERANDS
from benchmarks.corpus.shapes import SHAPES

WATCH = """
import os, sys
root = sys.argv[1]
harmless = {"os.listdir", "os.scandir", "object.__getattr__", "sys._getframe", "builtins.id", "gc.get_objects"}
names = {name for _, folders, files in os.walk(root) for name in (*folders, *files)} | {os.path.basename(root)}
seen, armed = [], False
def hook(event, arguments):
    global armed
    if not armed or event in harmless:
        return
    if event == "open" and str(arguments[0]).rpartition("/")[2] in names and not arguments[2] & 3:
        return  # read only, and beneath the folder's descriptor
    armed = False
    seen.append((event, repr(arguments)[:200]))
    armed = True
sys.path.insert(0, root)  # so that the module which the pickles name could be imported
from provenance.scanning.verb import scan
scan(sys.argv[2])  # the same kinds of file with nothing in them: imports what scanning needs
sys.addaudithook(hook)
armed = True
result = scan(root)
armed = False
print(result.decision, len(result.files), seen, "victim" in sys.modules, "this" in sys.modules)
"""


def watched(evil: Path, honest: Path) -> str:
    command = [sys.executable, "-c", WATCH, str(evil), str(honest)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def write(root: Path, files: Iterator[tuple[str, bytes]]) -> int:
    count = 0
    for count, (name, data) in enumerate(files, 1):
        path = root / f"{count:04}-{name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return count


def contained(data: bytes) -> Iterator[tuple[str, bytes]]:
    for build in CONTAINERS.values():
        suffix, file = build(data, random.Random(0))
        yield f"model{suffix}", file


def called() -> Iterator[tuple[str, bytes]]:
    rng = random.Random(0)
    victim = Gadget("", "victim", "run", ())
    for call in CALLS.values():
        for operand in OPERANDS.values():
            protocol, callee = operand(victim.module, victim.name)
            yield "x.pkl", SHAPES["plain"](protocol, call(victim, callee), rng)
    for gadget in GADGETS:
        yield "x.pkl", b"\x80\x02" + CALLS["reduce"](gadget, glob(gadget.module, gadget.name)) + b"."


@pytest.fixture
def evil(tmp_path: Path) -> Path:
    root = tmp_path / "evil"
    root.mkdir()
    (root / "victim.py").write_text("raise SystemExit(7)\n")
    return root


def test_pickles_in_every_container(tmp_path: Path, evil: Path):
    count = write(evil, contained(b"\x80\x02cvictim\nrun\n)R."))
    write(tmp_path / "honest", contained(b"\x80\x02}."))
    assert watched(evil, tmp_path / "honest") == f"refused {count + 1} [] False False"


def test_every_call_of_every_name(tmp_path: Path, evil: Path):
    count = write(evil, called())
    honest = [*contained(b"\x80\x02}."), ("y.pkl", b"(lp0\n."), ("z.pkl", b"V\\u0061\n.")]
    write(tmp_path / "honest", iter(honest))
    assert watched(evil, tmp_path / "honest") == f"refused {count + 1} [] False False"


def test_every_other_format(tmp_path: Path, evil: Path):
    count = write(evil, plain_forgeries())
    write(tmp_path / "honest", plain_forgeries())  # nothing of theirs could be imported in the first place
    assert watched(evil, tmp_path / "honest") == f"refused {count + 1} [] False False"


def test_formats_that_libraries_make(tmp_path: Path, evil: Path):
    for library in ("torch", "h5py", "onnx"):
        pytest.importorskip(library)
    count = write(evil, forgeries())
    write(tmp_path / "honest", forgeries())
    assert watched(evil, tmp_path / "honest") == f"refused {count + 1} [] False False"


def test_exhausting_files(tmp_path: Path, evil: Path):
    count = write(evil, exhausting())
    write(tmp_path / "honest", contained(b"\x80\x02}."))
    assert watched(evil, tmp_path / "honest") == f"refused {count + 1} [] False False"
