"""Live pickles for the tests of the guard: each, if it were loaded, would touch a file, and nothing else."""

from __future__ import annotations

import copyreg
import io
import os
import pickle
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["FAMILIES", "as_torch_legacy", "as_torch_zip", "call", "text"]


def text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def call(module: str, name: str, argument: str) -> bytes:
    """GLOBAL, the argument, REDUCE."""
    return f"c{module}\n{name}\n".encode() + text(argument) + b"\x85R"


def touch(marker: Path) -> str:
    return f"touch {marker}"


def _frame(body: bytes) -> bytes:
    return b"\x95" + struct.pack("<Q", len(body)) + body


def _short(value: str) -> bytes:
    return b"\x8c" + bytes([len(value)]) + value.encode()


def _global(marker: Path) -> bytes:
    return b"\x80\x02" + call("posix", "system", touch(marker)) + b"."


def _by_python_2_name(marker: Path) -> bytes:
    return b"\x80\x02" + call("__builtin__", "eval", f"__import__('os').system({touch(marker)!r})") + b"."


def _commands(marker: Path) -> bytes:
    return b"\x80\x02" + call("commands", "getoutput", touch(marker)) + b"."


def _stack_global(marker: Path) -> bytes:
    return b"\x80\x04" + _short("os") + _short("system") + b"\x93" + text(touch(marker)) + b"\x85R."


def _stack_global_by_memo(marker: Path) -> bytes:
    return (
        b"\x80\x04" + _short("os") + b"\x94" + _short("system") + b"\x94" + b"00h\x00h\x01\x93"
        + text(touch(marker)) + b"\x85R."
    )  # fmt: skip


def _inst(marker: Path) -> bytes:
    return b"(" + text(touch(marker)) + b"iposix\nsystem\n."


def _obj(marker: Path) -> bytes:
    return b"(cposix\nsystem\n" + text(touch(marker)) + b"o."


def _newobj(marker: Path) -> bytes:
    """subprocess.Popen is a class; its __init__ is reached by REDUCE on the class."""
    return b"\x80\x02csubprocess\nPopen\n" + b"(" + text("touch") + text(str(marker)) + b"l\x85R."


def _build(marker: Path) -> bytes:
    """A state whose setter is a function: ``__setstate__`` of a fresh class object is system."""
    namespace = b"ctypes\nSimpleNamespace\n)R" + b"}" + text("__setstate__") + b"cposix\nsystem\nsb"
    return b"\x80\x02" + namespace + text(touch(marker)) + b"b."


def _dotted(marker: Path) -> bytes:
    return b"\x80\x04" + _short("pathlib") + _short("os.system") + b"\x93" + text(touch(marker)) + b"\x85R."


def _dotted_through_torch(marker: Path) -> bytes:
    return b"\x80\x04" + _short("torch") + _short("os.system") + b"\x93" + text(touch(marker)) + b"\x85R."


def _dotted_through_allowed(marker: Path) -> bytes:
    name = "OrderedDict.__reduce__.__globals__"
    return b"\x80\x04" + _short("collections") + _short(name) + b"\x930" + _stack_global(marker)[2:]


def _frame_straddle(marker: Path) -> bytes:
    """The argument crosses the end of its frame: a linear reader sees a string where the machine sees opcodes."""
    hidden = call("posix", "system", touch(marker)) + b"."
    return b"\x80\x04" + _frame(b"X" + struct.pack("<I", 4) + b"aa") + b"aa0" + hidden


def _behind_padding(marker: Path) -> bytes:
    return b"\x80\x02" + b"N0" * 50_000 + call("posix", "system", touch(marker)) + b"."


def _no_stop(marker: Path) -> bytes:
    return b"\x80\x02" + call("posix", "system", touch(marker))


def _garbage_after(marker: Path) -> bytes:
    return b"\x80\x02" + call("posix", "system", touch(marker)) + b"\xff\xff\xff"


def _discarded(marker: Path) -> bytes:
    return b"\x80\x02" + call("posix", "system", touch(marker)) + b"0}."


def _gadget(module: str, name: str, argument: Callable[[Path], bytes]) -> Callable[[Path], bytes]:
    def make(marker: Path) -> bytes:
        return b"\x80\x02" + f"c{module}\n{name}\n".encode() + argument(marker) + b"R."

    return make


def _code(marker: Path) -> bytes:
    return text(f"open({str(marker)!r}, 'w').close()") + b"\x85"


def _shell(marker: Path) -> bytes:
    return text(touch(marker)) + b"\x85"


def _words(marker: Path) -> bytes:
    return b"(" + text("touch") + text(str(marker)) + b"l\x85"


def _runctx(marker: Path) -> bytes:
    return text(f"open({str(marker)!r}, 'w').close()") + b"}}\x87"


def _partial(marker: Path) -> bytes:
    """functools.partial(os.system, …) called at once."""
    return b"cposix\nsystem\n" + text(touch(marker)) + b"\x86R)"


def _ctypes(marker: Path) -> bytes:
    return text(str(marker)) + b"\x85"


def _touch_method(marker: Path) -> bytes:
    return b"cpathlib\nPosixPath\n" + text(str(marker)) + b"\x85R\x85"


FAMILIES: dict[str, Callable[[Path], bytes]] = {
    "GLOBAL": _global,
    "a Python 2 name": _by_python_2_name,
    "a Python 2 module": _commands,
    "STACK_GLOBAL": _stack_global,
    "STACK_GLOBAL by the memo": _stack_global_by_memo,
    "INST": _inst,
    "OBJ": _obj,
    "a class": _newobj,
    "BUILD": _build,
    "a dotted name": _dotted,
    "a dotted name through torch": _dotted_through_torch,
    "a dotted name through an allowed one": _dotted_through_allowed,
    "FRAME straddle": _frame_straddle,
    "behind padding": _behind_padding,
    "without STOP": _no_stop,
    "garbage after it": _garbage_after,
    "result discarded": _discarded,
    **{
        f"{module}.{name}": _gadget(module, name, argument)
        for module, name, argument in (
            ("builtins", "eval", _code),
            ("builtins", "exec", _code),
            ("subprocess", "check_output", _words),
            ("subprocess", "getoutput", _shell),
            ("runpy", "run_path", _ctypes),
            ("cProfile", "run", _code),
            ("cProfile", "runctx", _runctx),
            ("profile", "run", _code),
            ("timeit", "timeit", _code),
            ("code", "interact", _ctypes),
            ("doctest", "debug_script", _code),
            ("trace", "Trace", _ctypes),
            ("functools", "partial", _partial),
            ("operator", "methodcaller", _ctypes),
            ("pkgutil", "resolve_name", lambda marker: text("os:system") + b"\x85"),
            ("pydoc", "locate", lambda marker: text("os.system") + b"\x85"),
            ("pydoc", "pipepager", lambda marker: text("x") + text(touch(marker)) + b"\x86"),
            ("pty", "spawn", _words),
            ("pip", "main", _words),
            ("ctypes", "CDLL", _ctypes),
            ("pathlib", "Path.touch", _touch_method),
            ("shutil", "copyfile", lambda marker: text("/etc/hostname") + text(str(marker)) + b"\x86"),
            ("logging", "FileHandler", _ctypes),
            ("tarfile", "open", lambda marker: text(str(marker)) + text("w") + b"\x86"),
            ("sqlite3", "connect", _ctypes),
            ("io", "open", lambda marker: text(str(marker)) + text("w") + b"\x86"),
            ("_io", "FileIO", lambda marker: text(str(marker)) + text("w") + b"\x86"),
            ("os", "mkdir", _ctypes),
            ("numpy", "load", _ctypes),
            ("numpy", "savetxt", lambda marker: text(str(marker)) + b"]\x86"),
            ("numpy.f2py.crackfortran", "getlincoef", lambda marker: _code(marker)[:-1] + b"}\x86"),
            ("torch", "load", _ctypes),
            ("torch.hub", "load", _ctypes),
            ("torch.jit", "load", _ctypes),
            ("torch.utils.collect_env", "run", _shell),
            ("torch.utils.bottleneck.__main__", "run_cprofile", lambda marker: _code(marker)[:-1] + b"}\x86"),
            ("torch.jit.unsupported_tensor_ops", "execWrapper", lambda m: _code(m)[:-1] + b"}}\x87"),
            ("idlelib.pyshell", "ModifiedInterpreter", _ctypes),
            ("lib2to3.pgen2.grammar", "Grammar", lambda marker: b")"),
            ("imaplib", "IMAP4_stream", _shell),
            ("uuid", "_get_command_stdout", lambda marker: text("touch") + text(str(marker)) + b"\x86"),
            ("asyncio.unix_events", "_UnixSubprocessTransport", _ctypes),
            ("joblib", "load", _ctypes),
            ("pandas", "read_pickle", _ctypes),
            ("cloudpickle.cloudpickle", "_builtin_type", lambda marker: text("CodeType") + b"\x85"),
            ("types", "FunctionType", _ctypes),
            ("marshal", "loads", lambda marker: b"U\x01N\x85"),
            ("_pickle", "loads", lambda marker: b"U\x02N.\x85"),
            ("copyreg", "add_extension", lambda marker: text("os") + text("system") + b"K\x05\x87"),
            ("importlib", "import_module", _ctypes),
            ("sys", "exit", lambda marker: b"K\x00\x85"),
        )
    },
}


def as_torch_zip(data: bytes) -> bytes:
    """The pickle as the object of a zip of torch's."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in {"data.pkl": data, "byteorder": b"little", "version": b"3\n"}.items():
            archive.writestr(zipfile.ZipInfo(f"archive/{name}"), content)
    return buffer.getvalue()


def as_torch_legacy(data: bytes) -> bytes:
    """The pickle as the object of a file of torch's old form."""
    info = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    parts = [pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, info)]
    return b"".join([*parts, data, pickle.dumps([], 2)])


class extension:
    """A registered extension code, cold or with the interpreter's cache warm."""

    def __init__(self, module: str, name: str, code: int, *, warm: bool) -> None:
        self.key, self.code, self.warm = (module, name), code, warm

    def __enter__(self) -> bytes:
        copyreg.add_extension(*self.key, self.code)
        opcode = b"\x82" + bytes([self.code])
        if self.warm:
            assert pickle.loads(b"\x80\x02" + opcode + b".") is not None
        return opcode

    def __exit__(self, *_: object) -> None:
        copyreg.remove_extension(*self.key, self.code)
        copyreg.clear_extension_cache()


def unsafe_load(data: bytes) -> Iterator[object]:
    """What happens without a guard; used to see that the pickles are live."""
    yield pickle.loads(data)


SYSTEM = (os.system.__module__, os.system.__qualname__)
