"""An attacker knows the guard and looks for a way around it: each story is one way, and how it ends.

Payloads touch a marker in the test's own folder, and nothing else.
"""

from __future__ import annotations

import _pickle
import argparse
import copyreg
import functools
import gzip
import importlib
import io
import os
import pickle
import subprocess
import sys
import threading
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import provenance
from tests.adversarial.live_pickles import as_torch_zip, call, extension, text, touch

EarlyUnpickler = _pickle.Unpickler
in_a_closure = {"base": _pickle.Unpickler, "loads": _pickle.loads}


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "touched"


@pytest.fixture
def evil(marker: Path) -> bytes:
    return b"\x80\x02" + call("posix", "system", touch(marker)) + b"."


def refuses(load: Any, marker: Path, match: str = ".") -> None:
    with pytest.raises((provenance.Refused, provenance.Undecided), match=match):
        load()
    assert not marker.exists()


# --- unpicklers that resolve names themselves, without an event --------------------------------------------------------


def _resolve(_self: Any, module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


class OfC(_pickle.Unpickler):
    find_class = _resolve


class OfPython(pickle._Unpickler):
    find_class = _resolve


class Derived(OfC):
    pass


class Mixin:
    find_class = _resolve


class Mixed(Mixin, pickle.Unpickler):
    pass


class Static(pickle.Unpickler):
    find_class = staticmethod(functools.partial(_resolve, None))


class Resolver:
    def __call__(self, module: str, name: str) -> Any:
        return _resolve(self, module, name)


class Partial(pickle.Unpickler):
    find_class = Resolver()


def _inside() -> type:
    class Inside(pickle.Unpickler):
        find_class = _resolve

    return Inside


def _inside_of_an_early_base() -> type:
    """The module's own name for the class is replaced too."""
    return type("Early", (EarlyUnpickler,), {"find_class": _resolve})


@pytest.mark.parametrize(
    "cls", [OfC, OfPython, Derived, Mixed, Static, Partial, _inside, _inside_of_an_early_base]
)
def test_a_find_class_that_asks_nobody(cls: Any, evil: bytes, marker: Path) -> None:
    with provenance.guard(policy="harmless"):
        made = cls if isinstance(cls, type) else cls()
        refuses(lambda: made(io.BytesIO(evil)).load(), marker, r"posix\.system")
    assert made(io.BytesIO(evil)).load() == 0, "outside it is what it was"


def test_a_class_from_a_closure_is_found_when_a_file_is_opened(
    evil: bytes, marker: Path, tmp_path: Path
) -> None:
    (tmp_path / "evil").write_bytes(evil)
    with provenance.guard(policy="harmless"):
        hidden = type("Hidden", (in_a_closure["base"],), {"find_class": _resolve})
        with (tmp_path / "evil").open("rb") as file:
            refuses(lambda: hidden(file).load(), marker, r"posix\.system")


def test_a_function_from_a_closure_still_fires_the_event(evil: bytes, marker: Path) -> None:
    with provenance.guard(policy="harmless"):
        refuses(lambda: in_a_closure["loads"](evil), marker, r"posix\.system")


# --- persistent ids ----------------------------------------------------------------------------------------------------


class Persistent(pickle.Unpickler):
    def persistent_load(self, pid: Any) -> Any:
        return {"system": os.system, "partial": functools.partial(os.system), "tensor": torch.ones(1)}[pid]


class PersistentInPython(pickle._Unpickler):
    persistent_load = Persistent.persistent_load


@pytest.mark.parametrize("cls", [Persistent, PersistentInPython])
@pytest.mark.parametrize("pid", ["system", "partial"])
def test_a_persistent_object_that_can_be_called(cls: Any, pid: str, marker: Path) -> None:
    data = b"P" + pid.encode() + b"\n" + text(touch(marker)) + b"\x85R."
    with provenance.guard(policy="harmless"):
        refuses(lambda: cls(io.BytesIO(data)).load(), marker, "persistent object can be called")
        assert cls(io.BytesIO(b"Ptensor\n.")).load() == 1


def test_a_persistent_load_that_is_set_on_the_object(marker: Path) -> None:
    with provenance.guard(policy="harmless"):
        unpickler = pickle.Unpickler(io.BytesIO(b"Psystem\n" + text(touch(marker)) + b"\x85R."))
        unpickler.persistent_load = lambda pid: os.system
        refuses(unpickler.load, marker, "persistent object can be called")


# --- extension codes ---------------------------------------------------------------------------------------------------


def test_a_code_that_is_registered_inside(marker: Path) -> None:
    with provenance.guard(policy="harmless"):
        with extension("posix", "system", 78, warm=False) as opcode:
            data = b"\x80\x02" + opcode + text(touch(marker)) + b"\x85R."
            for load in (
                lambda: pickle.loads(data),
                lambda: in_a_closure["loads"](data),
                lambda: OfC(io.BytesIO(data)).load(),
            ):
                refuses(load, marker)
    assert not copyreg._extension_cache


def test_a_cache_that_a_message_has_warmed(marker: Path) -> None:
    """A message between processes uses a code: were it resolved, a file could use it next."""
    import multiprocessing

    with extension("posix", "system", 79, warm=True) as opcode, provenance.guard(policy="harmless"):
        here, there = multiprocessing.Pipe()
        with here, there:
            there.send_bytes(b"\x80\x02" + opcode + b".")
            with pytest.raises(provenance.Refused):
                here.recv()
        refuses(lambda: in_a_closure["loads"](b"\x80\x02" + opcode + text(touch(marker)) + b"\x85R."), marker)


class Deferred:
    """An object that loads a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return functools.partial(torch.load, weights_only=False), (self.path,)


def test_a_file_that_is_loaded_by_a_message(evil: bytes, marker: Path, tmp_path: Path) -> None:
    """Messages between processes are exempt; a file that one of them names is not."""
    import multiprocessing

    (tmp_path / "model.pt").write_bytes(as_torch_zip(evil))
    with provenance.guard(policy="harmless"):
        here, there = multiprocessing.Pipe()
        with here, there:
            there.send(Deferred(tmp_path / "model.pt"))
            refuses(here.recv, marker, r"posix\.system")


# --- allowed names, used in another way --------------------------------------------------------------------------------


def test_an_allowed_class_is_not_changed() -> None:
    """BUILD with slots sets attributes on whatever it is given: here on the class of every namespace."""
    data = b"\x80\x02cargparse\nNamespace\n(N}" + text("planted") + b"K\x01u\x86b."
    with provenance.guard(policy="harmless"):
        for load in (
            lambda: pickle.loads(data),
            lambda: pickle.Unpickler(io.BytesIO(data)).load(),
            lambda: pickle._loads(data),
        ):
            with pytest.raises(provenance.Refused):
                load()
            assert not hasattr(argparse.Namespace, "planted")


def test_an_allowed_function_loads_nothing_hidden(evil: bytes, marker: Path) -> None:
    inner = as_torch_zip(evil)
    data = (
        b"\x80\x03ctorch.storage\n_load_from_bytes\nB" + len(inner).to_bytes(4, "little") + inner + b"\x85R."
    )
    with provenance.guard(policy="harmless"):
        for load in (lambda: pickle.loads(data), lambda: in_a_closure["loads"](data)):
            refuses(load, marker)


def test_a_module_in_the_way_of_an_allowed_one(tmp_path: Path) -> None:
    """CWE-1395: the name is on the list, and the working directory has a module of that name."""
    (tmp_path / "fractions.py").write_text("open('touched', 'w').close()\ndef Fraction(*_): pass\n")
    code = (
        "import provenance, pickle, _pickle, sys; sys.path.insert(0, '')\n"
        "with provenance.guard(policy='harmless'):\n"
        "    for loads in (pickle.loads, [_pickle.loads][0]):\n"
        "        try:\n"
        "            loads(b'cfractions\\nFraction\\n(I1\\nI2\\ntR.')\n"
        "        except provenance.Refused as error:\n"
        "            print(error.code)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(provenance.__file__).parent.parent)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.stdout.split() == ["GRD002", "GRD002"], done.stderr
    assert not (tmp_path / "touched").exists()


def test_a_safe_global_of_torch_is_none_of_the_policy_s(evil: bytes, marker: Path, tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(as_torch_zip(evil))
    with provenance.guard(policy="harmless"), torch.serialization.safe_globals([os.system]):
        refuses(lambda: torch.load(tmp_path / "model.pt"), marker, r"posix\.system")


# --- files that are another thing each time they are looked at --------------------------------------------------------


class Liar(io.BytesIO):
    """Gives something harmless until it was read to its end."""

    def __init__(self, first: bytes, then: bytes) -> None:
        super().__init__(first)
        self.then = then

    def seek(self, *arguments: int) -> int:
        if self.then and self.tell():
            super().seek(0)
            self.truncate()
            self.write(self.then)
            self.then = b""
        return super().seek(*arguments)


def test_a_file_object_that_changes(evil: bytes, marker: Path) -> None:
    harmless = pickle.dumps([1, 2, 3], 2)
    with provenance.guard(policy="harmless"):
        assert pickle.load(Liar(harmless, evil)) == [1, 2, 3]
        buffer = io.BytesIO()
        torch.save(torch.ones(2), buffer)
        assert torch.load(Liar(buffer.getvalue(), as_torch_zip(evil)), weights_only=False)[0] == 1
    assert not marker.exists()


def test_bytes_that_change() -> None:
    """A buffer is copied once; a class of bytes that shows two faces is reduced to one."""

    class Faces(bytes):
        pass

    with provenance.guard(policy="harmless"):
        assert pickle.loads(Faces(pickle.dumps(7))) == 7
        assert pickle.loads(bytearray(pickle.dumps(8))) == 8
        assert pickle.loads(memoryview(pickle.dumps(9))) == 9


def test_a_text_that_a_loader_takes_for_a_pickle(tmp_path: Path, marker: Path, evil: bytes) -> None:
    """Harmless as what it is, and another thing to who unpickles it, also from a place within it."""
    text_first = tmp_path / "notes.txt"
    text_first.write_bytes(b"# notes\n" * 8 + b"cargparse\nNamespace\n(N(dVplanted\nI1\nstb.")
    with provenance.guard(policy="harmless"):
        refuses(lambda: torch.load(text_first, weights_only=False), marker)
        with text_first.open("rb") as file:
            file.seek(64)
            refuses(lambda: torch.load(file, weights_only=False), marker)
        (tmp_path / "a.json").write_text('{"a": 1}')
        for load in (torch.load, np.load, torch.jit.load):
            refuses(lambda: load(tmp_path / "a.json"), marker, "does not read")


def test_a_file_in_the_place_of_a_pipe(tmp_path: Path, evil: bytes, marker: Path) -> None:
    from multiprocessing.connection import Connection

    (tmp_path / "messages").write_bytes(len(evil).to_bytes(4, "big") + evil)
    with provenance.guard(policy="harmless"):
        with Connection(os.open(tmp_path / "messages", os.O_RDONLY), writable=False) as connection:
            refuses(connection.recv, marker, r"posix\.system")


def test_a_pipe_in_place_of_a_model(tmp_path: Path, marker: Path) -> None:
    os.mkfifo(tmp_path / "model.pt")
    with provenance.guard(policy="harmless"):
        for load in (torch.load, np.load):
            refuses(lambda: load(tmp_path / "model.pt"), marker, "no regular file")


def test_an_archive_of_arrays_that_is_read_later(evil: bytes, marker: Path, tmp_path: Path) -> None:
    """The members of a .npz are unpickled when they are asked for; all of them are judged when it is opened."""
    header = np.lib.format.header_data_from_array_1_0(np.empty(1, object))
    member = io.BytesIO()
    np.lib.format.write_array_header_1_0(member, header)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", member.getvalue() + evil)
    with provenance.guard(policy="harmless"):
        refuses(lambda: np.load(tmp_path / "a.npz", allow_pickle=True), marker)
        with (tmp_path / "b.npy").open("wb") as file:
            file.write(member.getvalue() + evil)
        with (tmp_path / "b.npy").open("rb") as file:
            refuses(lambda: np.lib.format.read_array(file, allow_pickle=True), marker, r"posix\.system")


def test_a_script_in_place_of_weights(tmp_path: Path, marker: Path) -> None:
    """TorchScript fires no event: it is refused by its format."""
    with warnings.catch_warnings(action="ignore"):
        torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), tmp_path / "model.pt")
    with provenance.guard(policy="harmless"):
        refuses(lambda: torch.jit.load(tmp_path / "model.pt"), marker)
        refuses(lambda: torch.load(tmp_path / "model.pt", weights_only=False), marker)
        with (tmp_path / "model.pt").open("rb") as file:
            refuses(lambda: torch.jit.load(file), marker)


@pytest.mark.parametrize("library", ["pandas", "joblib"])
def test_a_packed_pickle(library: str, evil: bytes, marker: Path, tmp_path: Path) -> None:
    module = pytest.importorskip(library, reason="comes with the dev extra")
    path = tmp_path / "model.pkl.gz"
    path.write_bytes(gzip.compress(evil))
    with provenance.guard(policy="harmless"):
        refuses(
            lambda: (module.read_pickle if library == "pandas" else module.load)(path),
            marker,
            r"posix\.system",
        )


def test_dill_brings_an_unpickler_of_its_own(evil: bytes, marker: Path) -> None:
    dill = pytest.importorskip("dill", reason="not part of the dev extra")
    with provenance.guard(policy="harmless"):
        refuses(lambda: dill.loads(evil), marker, r"posix\.system")
        assert dill.loads(dill.dumps([1])) == [1]


# --- callers that try again, and moments between ----------------------------------------------------------------------


def test_a_caller_that_tries_again_without_weights_only(evil: bytes, marker: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(as_torch_zip(evil))
    with provenance.guard(policy="harmless") as guard:
        for weights_only in (True, False):
            try:
                torch.load(path, weights_only=weights_only)
            except Exception:
                continue
    assert not marker.exists()
    assert guard.decision == "refused"
    assert len(guard.report().loads) == 2


def test_a_load_that_begins_inside_and_ends_outside(evil: bytes, marker: Path) -> None:
    """A thread that is in a load when the guard is left goes on; one that begins later is free."""
    entered, left = threading.Event(), threading.Event()

    class Slow(io.BytesIO):
        def read(self, *arguments: Any) -> bytes:
            entered.set()
            left.wait(20)
            return super().read(*arguments)

    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(pickle.load(Slow(pickle.dumps({"a": 1})))))
    with provenance.guard(policy="harmless"):
        thread.start()
        entered.wait(20)
    left.set()
    thread.join(20)
    assert found == [{"a": 1}]


# --- the second net ----------------------------------------------------------------------------------------------------


def acting(action: Any) -> type:
    """An unpickler that acts by itself when it is asked for an allowed name, as code that got past the names would."""

    class Acting(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            action()
            return super().find_class(module, name)

    return Acting


ACTIONS: dict[str, Any] = {
    "system": lambda marker: os.system(touch(marker)),
    "Popen": lambda marker: subprocess.Popen(["touch", str(marker)]),
    "fork": lambda _: os.fork() or os._exit(0),
    "posix_spawn": lambda marker: os.posix_spawn("/usr/bin/touch", ["touch", str(marker)], {}),
    "execv": lambda marker: os.execv("/usr/bin/touch", ["touch", str(marker)]),
    "eval": lambda marker: eval(f"open({str(marker)!r}, 'w')"),
    "compile": lambda _: compile("1", "x", "exec"),
    "marshal": lambda _: importlib.import_module("marshal").loads(b"N"),
    "code": lambda _: (lambda: 0).__code__.replace(co_name="x"),
    "write": lambda marker: open(marker, "w"),
    "write by os": lambda marker: os.open(marker, os.O_CREAT | os.O_WRONLY),
    "mkdir": os.mkdir,
    "rename": lambda marker: os.rename("/nonexistent", marker),
    "link": lambda marker: os.symlink("/", marker),
    "dlopen": lambda _: importlib.import_module("ctypes").CDLL(None),
    "socket": lambda _: importlib.import_module("socket").socket(),
    "environment": lambda _: os.putenv("X", "1"),
}


@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_acts_while_a_pickle_is_loaded(action: str, marker: Path) -> None:
    cls = acting(lambda: ACTIONS[action](marker))
    data = b"\x80\x02ccollections\nOrderedDict\n)R."
    with provenance.guard(policy="harmless"):
        with pytest.raises(provenance.Refused, match="while it is loaded"):
            cls(io.BytesIO(data)).load()
    assert not os.path.lexists(marker)


def test_modules_of_allowed_names_may_be_imported_while_loading(tmp_path: Path) -> None:
    """An import runs code of an installed package, which is not what the net is for."""
    code = (
        "import provenance, pickle, sys, io\n"
        "assert 'fractions' not in sys.modules\n"
        "with provenance.guard(policy='harmless') as guard:\n"
        "    class U(pickle.Unpickler): pass\n"
        "    print(U(io.BytesIO(b'cfractions\\nFraction\\n(I1\\nI2\\ntR.')).load())\n"
        "print(guard.decision)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["1/2", "accepted"], done.stderr
