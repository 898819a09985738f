"""Somebody writes to the model while it is loaded, or kills the signer in the middle."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import provenance
from provenance.errors import ProvenanceError


def test_writing_after_the_load_changes_no_tensor(signed: Path, public: Path) -> None:
    tensors = provenance.load(signed, keys=public)
    before = {name: array.copy() for name, array in tensors.items()}
    with (signed / "model.safetensors").open("r+b") as file:
        file.write(b"\xff" * 8_000_000)
    os.truncate(signed / "model.safetensors", 0)
    for name, array in tensors.items():
        assert np.array_equal(array, before[name])


def test_writing_during_the_load_is_refused_or_changes_nothing(signed: Path, public: Path) -> None:
    good = (signed / "model.safetensors").read_bytes()
    expected = {name: array.copy() for name, array in provenance.load(signed, keys=public).items()}
    done = threading.Event()

    def attack() -> None:
        turn = 0
        with (signed / "model.safetensors").open("r+b", buffering=0) as file:
            while not done.is_set():
                turn += 1
                file.seek(4_000_000 + turn % 4_000_000)
                file.write(b"\xff" * 64 if turn % 2 else good[file.tell() : file.tell() + 64])

    attacker = threading.Thread(target=attack)
    attacker.start()
    try:
        for _ in range(30):
            try:
                tensors = provenance.load(signed, keys=public)
            except ProvenanceError:
                continue
            for name, array in tensors.items():
                assert np.array_equal(array, expected[name])
    finally:
        done.set()
        attacker.join()


def test_a_file_swapped_for_a_link_is_not_followed(signed: Path, public: Path, tmp_path: Path) -> None:
    (signed / "model.safetensors").rename(tmp_path / "elsewhere")
    (signed / "model.safetensors").symlink_to(tmp_path / "elsewhere")
    assert provenance.verify(signed, keys=public).decision == "refused"
    with pytest.raises(ProvenanceError):
        provenance.load(signed, keys=public)


def test_killing_sign_leaves_the_old_bundle_or_the_new_one(signed: Path, key: Path, public: Path) -> None:
    script = f"import provenance\nwhile True: provenance.sign({str(signed)!r}, key={str(key)!r})"
    for delay in (0.25, 0.28, 0.31, 0.34, 0.37, 0.4, 0.45, 0.5):
        process = subprocess.Popen([sys.executable, "-c", script])
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert provenance.verify(signed, keys=public).decision == "accepted"


NO_SOCKETS = """
import sys, socket
def deny(event, args):
    if event.startswith("socket."):
        raise RuntimeError("a socket: " + event)
sys.addaudithook(deny)
import provenance
model, key = sys.argv[1:]
assert provenance.verify(model, keys=key).decision == "accepted"
assert provenance.load(model, keys=key)
with provenance.sealed(model, keys=key): pass
"""


def test_nothing_touches_the_network(signed: Path, public: Path) -> None:
    subprocess.run([sys.executable, "-c", NO_SOCKETS, str(signed), str(public)], check=True)


def test_no_socket_is_opened_at_the_level_of_the_system(signed: Path, public: Path, tmp_path: Path) -> None:
    strace = next((each for each in ("/usr/bin/strace", "/bin/strace") if os.path.exists(each)), None)
    if strace is None:
        pytest.skip("strace is not installed; the audit hook above proves the same for Python's own sockets")
    log = tmp_path / "strace.log"
    command = [sys.executable, "-c", NO_SOCKETS, str(signed), str(public)]
    subprocess.run([strace, "-f", "-e", "trace=socket,connect", "-o", str(log), *command], check=True)
    assert "socket(" not in log.read_text()
