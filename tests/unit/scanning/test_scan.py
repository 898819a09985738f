"""Scanning paths: what is read, what is judged, and that nothing of it is run."""

from __future__ import annotations

import bz2
import io
import json
import os
import pickle
import subprocess
import sys
import zlib
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies import BUILTIN
from provenance.errors import UsageError
from provenance.scanning import scan as scanning
from provenance.scanning.minimal import minimal_allowlist
from provenance.scanning.readers import BytesReader
from provenance.scanning.scan import scan_member
from provenance.scanning.verb import scan, scan_bytes


class Runs:
    def __reduce__(self):
        return os.getpid, ()


EVIL = pickle.dumps(Runs())


def test_a_directory_is_judged_file_by_file(tmp_path: Path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "weights.safetensors").write_bytes(EVIL)
    result = scan(tmp_path)
    assert (result.decision, result.exit_status) == ("refused", 1)
    assert [(file.path, file.format, file.decision) for file in result.files] == [
        ("config.json", "json", "accepted"),
        ("sub/weights.safetensors", "pickle", "refused"),
    ]
    assert [finding.path for finding in result.findings] == ["sub/weights.safetensors"]


def test_several_paths_keep_their_names(tmp_path: Path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.txt").write_text("text")
    paths = [str(tmp_path / "a"), str(tmp_path / "b"), str(tmp_path / "a" / "x.txt")]
    assert [file.path for file in scan(paths).files] == [f"{paths[0]}/x.txt", f"{paths[1]}/x.txt", paths[2]]


def test_what_is_not_there_is_undecided(tmp_path: Path):
    result = scan(tmp_path / "absent")
    assert (result.exit_status, result.findings[0].rule) == (3, "ART010")


def test_unknown_bytes_are_undecided(tmp_path: Path):
    (tmp_path / "x").write_bytes(bytes(range(256)) * 10)
    assert scan(tmp_path / "x").exit_status == 3


def test_a_pipe_is_refused_without_waiting(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    assert scan(tmp_path / "pipe").findings[0].rule == "ART002"
    (tmp_path / "a.txt").write_text("text")
    assert {finding.rule for finding in scan(tmp_path).findings} == {"ART002"}


def test_links_are_not_followed(tmp_path: Path):
    (tmp_path / "model").mkdir()
    (tmp_path / "secret").write_text("text")
    (tmp_path / "model" / "link").symlink_to(tmp_path / "secret")
    assert [finding.rule for finding in scan(tmp_path / "model").findings] == ["ART001"]


def test_policies(tmp_path: Path):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(OrderedDict(a=1)))
    assert scan(tmp_path).decision == "accepted"
    assert scan(tmp_path, policy="strict").findings[0].rule == "PKL001"
    assert scan(tmp_path, policy=BUILTIN["training"]).decision == "accepted"
    with pytest.raises(UsageError):
        scan(tmp_path, policy="no such policy")


def test_members_are_judged_as_well():
    file = io.BytesIO()
    np.savez(file, a=np.zeros(3), b=np.array([{}], dtype=object))
    evidence = scan_member(BytesReader(file.getvalue()), "x.npz", BUILTIN["strict"].formats)
    assert evidence.format == "numpy"
    assert [(found.rule, found.where) for found in evidence.findings] == [("PKL001", "b.npy")]
    assert scan_bytes(file.getvalue()).decision == "accepted"


def test_packed_files_have_the_format_of_their_content():
    data = bz2.compress(pickle.dumps({"a": np.random.default_rng(0).random(200_000)}))
    assert scan_bytes(data, "x.bz2").files[0].format == "pickle"
    assert scan_bytes(data, "x.bz2").decision == "accepted"


@pytest.mark.parametrize("level", [1, 3, 9])
@pytest.mark.parametrize("size", [1, 10, 1000, 100_000])
def test_streams_of_every_length(level, size):
    data = zlib.compress(pickle.dumps(np.random.default_rng(size).random(size)), level)
    assert (scan_bytes(data).files[0].format, scan_bytes(data).decision) == ("pickle", "accepted")


def test_the_globals_that_a_file_needs(tmp_path: Path):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps([OrderedDict(a=1), Path("x"), subprocess.PIPE]))
    (tmp_path / "b.pkl").write_bytes(EVIL)
    (tmp_path / "c.pkl").write_bytes(b"\x80\x04\x8c\x02os\x8c\x0bpath.sep\x93.")
    assert minimal_allowlist(tmp_path) == ("posix.getpid",)
    allowing = json.dumps(["posix.getpid"])
    policy = tmp_path / "policy.toml"
    policy.write_text(f'version = 1\n[formats]\npickle = "allowlist"\nallow_globals = {allowing}\n')
    assert scan(tmp_path / "b.pkl", policy=policy).decision == "accepted"


WATCH = """
import os, sys
seen = []
inside = os.listdir(sys.argv[1])  # opened beneath the directory's descriptor
def hook(event, arguments):
    if not armed:
        return
    if event in ("import", "compile", "exec", "os.system", "subprocess.Popen", "os.exec", "socket.connect", "ctypes.dlopen"):
        seen.append((event, str(arguments[0])[:80]))
    elif event == "open" and not str(arguments[0]).startswith(sys.argv[1]) and arguments[0] not in inside:
        seen.append((event, str(arguments[0])))
armed = False
from provenance.scanning.verb import scan
scan(sys.argv[1])  # imports what scanning needs
sys.addaudithook(hook)
armed = True
result = scan(sys.argv[1])
armed = False
print(result.decision, [what for what in seen if "provenance" not in what[1]])
"""


def test_nothing_is_imported_opened_or_run(tmp_path: Path):
    (tmp_path / "evil.py").write_text("raise SystemExit(7)")
    (tmp_path / "a.pkl").write_bytes(EVIL)
    (tmp_path / "b.pkl").write_bytes(b"cevil\nx\n)R.")
    (tmp_path / "c.pkl").write_bytes(b"cantigravity\nx\n.")
    done = subprocess.run(
        [sys.executable, "-c", WATCH, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "refused []"


def failed(data: bytes) -> list[str]:
    findings = scan_bytes(data, "x").findings
    return [finding.message for finding in findings if finding.message.startswith("the reader failed")]


def test_a_reader_that_fails_leaves_the_file_undecided(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """A mistake in one reader, here made on purpose, is no verdict about the file, and none about the others."""

    def fails(*_: object) -> None:
        raise AttributeError

    monkeypatch.setitem(scanning._READERS, "json", fails)
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "b.pkl").write_bytes(EVIL)
    result = scan(tmp_path)
    assert [file.decision for file in result.files] == ["undecided", "refused"]
    assert failed(b"{}")


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from(
        [b"", b"\x80\x04", b"PK\x03\x04", b"GGUF", b"\x93NUMPY\x01\0", b"{", b"\x1f\x8b\x08", b"\x08\x08"]
    ),
)
def test_no_bytes_break_the_scanner(data: bytes, head: bytes):
    assert not failed(head + data)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_change_of_a_pickle_breaks_the_scanner(data: st.DataObject):
    good = bytearray(pickle.dumps({"a": [1, OrderedDict(b=2.5)], "c": np.arange(5), "d": (b"x", "y")}, 4))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    assert not failed(bytes(good))
