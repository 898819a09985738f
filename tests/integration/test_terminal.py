"""How the installed command behaves towards terminals, pipes, signals and strange environments."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = str(Path(sys.executable).with_name("provenance"))
CLEAN = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith("PROVENANCE_") and name not in ("NO_COLOR", "FORCE_COLOR")
}


def run(*arguments: object, **env: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [COMMAND, *map(str, arguments)], capture_output=True, env={**CLEAN, **env}, check=False
    )


def on_a_terminal(*arguments: object, **env: str) -> tuple[int, bytes]:
    """Run with all three streams on a pseudo-terminal; gives the exit status and what was shown."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [COMMAND, *map(str, arguments)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**CLEAN, "TERM": "xterm", **env},
    )
    os.close(theirs)
    shown = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([ours], [], [], 1)[0]:
            continue
        try:
            block = os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
        shown += block
    os.close(ours)
    return process.wait(timeout=60), shown


def modules_after(*arguments: object) -> set[str]:
    """Name the modules that a command has imported once it is done."""
    script = (
        "import sys, json\nfrom cli.main import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "sys.stderr.write('\\n' + json.dumps(sorted(sys.modules)))"
    )
    command = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, env=CLEAN, check=True)
    return set(json.loads(done.stderr.decode().splitlines()[-1]))


HEAVY = {"torch", "numpy", "sigstore", "rich", "cryptography", "blake3", "msgspec", "cli.commands.verify"}


@pytest.mark.parametrize("arguments", [("--help",), ("--version",)])
def test_help_imports_no_command_and_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert modules_after(*arguments) & HEAVY == set()


def test_verify_with_a_key_imports_only_what_it_needs(signed: Path, public: Path) -> None:
    loaded = modules_after("verify", signed, "--key", public)
    assert "cryptography" in loaded
    assert (
        loaded & {"torch", "sigstore", "rich", "numpy", "cli.commands.sign", "cli.rendering.sarif"} == set()
    )


def test_colour_is_for_terminals(signed: Path, public: Path) -> None:
    verify = ("verify", signed, "--key", public)
    assert b"\x1b[" in on_a_terminal(*verify)[1]
    assert b"\x1b" not in on_a_terminal(*verify, NO_COLOR="1")[1]
    assert b"\x1b" not in on_a_terminal("--color", "never", *verify)[1]
    assert b"\x1b" not in on_a_terminal(*verify, "--color", "never")[1]
    assert b"\x1b" not in on_a_terminal(*verify, PROVENANCE_COLOR="never")[1]
    assert b"\x1b" not in run(*verify).stdout
    assert b"\x1b[" in run(*verify, "--color=always").stdout
    assert b"\x1b[" in run(*verify, FORCE_COLOR="1").stdout
    assert b"\x1b" not in run(*verify, "--color=always", "--format", "json").stdout


def test_a_hostile_name_draws_nothing_on_a_terminal(signed: Path, public: Path) -> None:
    (signed / "\x1b]0;owned\x07\u202etxt.\r\nx").write_text("x")
    status, shown = on_a_terminal("verify", signed, "--key", public, "--color", "never")
    assert status == 1
    assert b"\x1b" not in shown and b"\x07" not in shown and "\u202e".encode() not in shown
    assert rb"\x1b]0;owned\x07\u202etxt.\r\nx" in shown


@pytest.mark.parametrize("form", ["text", "json", "sarif", "junit", "github"])
def test_a_name_that_is_not_utf_8_can_be_reported_in_every_format(
    signed: Path, public: Path, form: str
) -> None:
    (Path(os.fsdecode(os.fsencode(signed) + b"/bad\xff"))).write_text("x")
    done = run("verify", signed, "--key", public, "--format", form)
    assert done.returncode == 1
    assert "ART003" in done.stdout.decode()


def test_an_encoding_that_lacks_a_character_is_no_crash(signed: Path, public: Path) -> None:
    (signed / "重み.bin").write_text("x")
    done = run("verify", signed, "--key", public, PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="POSIX")
    assert done.returncode == 1
    assert rb"\u91cd\u307f.bin" in done.stdout


def test_a_path_that_is_not_utf_8_is_signed_and_verified(model: Path, key: Path, public: Path) -> None:
    renamed = os.fsencode(model.parent) + b"/m\xff"
    os.rename(model, renamed)
    path = os.fsdecode(renamed)
    assert run("sign", path, "--key", key).returncode == 0
    assert run("verify", path, "--key", public).returncode == 0


def many_unsigned(signed: Path) -> None:
    for index in range(3000):
        (signed / f"{'long' * 20}-{index}").write_text("x")


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_reader_that_leaves_early_is_no_error_and_changes_no_verdict(
    signed: Path, public: Path, form: str
) -> None:
    many_unsigned(signed)
    process = subprocess.Popen(
        [COMMAND, "verify", signed, "--key", public, "--format", form],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=CLEAN,
    )
    assert process.stdout and process.stderr
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=60) == 1


def test_a_full_disk_is_not_taken_for_an_answer(signed: Path, public: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [COMMAND, "verify", signed, "--key", public],
            stdout=full,
            stderr=subprocess.PIPE,
            env=CLEAN,
            check=False,
        )
    assert done.returncode == 4
    assert done.stderr == b"error: cannot write the output: No space left on device\n"


def test_an_interrupt_is_silent_and_has_its_status(tmp_path: Path, key: Path) -> None:
    fifo = tmp_path / "model"
    fifo.mkdir()
    with open(fifo / "big.bin", "wb") as file:
        file.truncate(40 << 30)  # sparse: far more than is read before the interrupt
    # Where these tests run in the background of a shell the signal is ignored, which children inherit.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            [COMMAND, "sign", str(fifo), "--key", str(key)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=CLEAN,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err.strip()) == (130, b"", b"")
    assert [each.name for each in fifo.iterdir()] == ["big.bin"]


def test_an_encrypted_key_is_asked_for_on_a_terminal_and_not_echoed(model: Path, tmp_path: Path) -> None:
    key = tmp_path / "locked.key"
    assert run("keygen", key, "--password-env", "PW", PW="s3cret").returncode == 0
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [COMMAND, "sign", model, "--key", key],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=CLEAN,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    while b"Password of" not in shown:
        assert select.select([ours], [], [], 60)[0]
        shown += os.read(ours, 4096)
    os.write(ours, b"s3cret\n")
    try:
        while block := os.read(ours, 4096):
            shown += block
    except OSError:
        pass
    os.close(ours)
    assert process.wait(timeout=60) == 0
    assert b"s3cret" not in shown
    assert (model / "model.sig").exists()
    assert run("sign", model, "--key", key).returncode == 2


def test_long_work_shows_a_bar_on_a_terminal(tmp_path: Path, key: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    with open(model / "big.bin", "wb") as file:
        file.truncate(1 << 30)
    status, shown = on_a_terminal("sign", model, "--key", key)
    assert status == 0
    assert b"signing" in shown
    assert b"GB" in shown
