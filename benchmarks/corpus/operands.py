"""Ways to bring a global onto the stack so that a reader which only looks for names does not see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchmarks.corpus.opcodes import counted, glob, line, long_text, short_text

__all__ = ["OPERANDS", "Operand"]

# (module, name) -> (protocol that the pickle must say, opcodes that leave the global on the stack).
Operand = Callable[[str, str], tuple[int, bytes]]

_ALIASES = {
    "builtins": "__builtin__",
    "os": "posix",
    "posix": "os",
    "pickle": "_pickle",
    "operator": "_operator",
    "io": "_io",
    "copyreg": "copy_reg",
    "functools": "_functools",
    "subprocess": "commands",
}


def _by(module: bytes, name: bytes) -> bytes:
    return module + name + b"\x93"


def _escaped(text: str) -> bytes:
    return b"V" + line("".join(f"\\u{ord(letter):04x}" for letter in text))


def _quoted(text: str) -> bytes:
    return b"S" + line("'" + "".join(f"\\x{ord(letter):02x}" for letter in text) + "'")


def _old(text: str) -> bytes:
    return b"T" + counted(text.encode(), "<i")


def _memo(module: str, name: str) -> bytes:
    stored = short_text(module) + b"q\x05" + short_text(name) + b"q\x06" + b"00"
    return stored + b"h\x05h\x06\x93"


def _overwritten(module: str, name: str) -> bytes:
    stored = short_text("math") + b"q\x01" + short_text(module) + b"q\x01" + b"00"
    return stored + b"h\x01" + short_text(name) + b"\x93"


def _long_memo(module: str, name: str) -> bytes:
    return short_text(module) + b"r\x00\x00\x01\x000" + b"j\x00\x00\x01\x00" + short_text(name) + b"\x93"


def _put_of_the_top(module: str, name: str) -> bytes:
    stored = short_text("math") + short_text(module) + b"p7\n0" + b"0"
    return stored + b"g7\n" + short_text(name) + b"\x93"


def _computed(module: str, name: str) -> bytes:
    """The module's name is the result of a call: str(b"…", "latin1")."""
    computed = glob("builtins", "str") + b"(B" + counted(module.encode(), "<I") + short_text("latin1") + b"tR"
    return computed + short_text(name) + b"\x93"


def _dotted(module: str, name: str) -> bytes:
    """Reach the module through another one that imports it, or through its package."""
    package, _, rest = module.rpartition(".")
    if not package:
        package, rest = {"os": "pathlib", "sys": "collections"}.get(module, "logging"), module
    return short_text(package) + short_text(f"{rest}.{name}") + b"\x93"


OPERANDS: Mapping[str, Operand] = {
    "global": lambda module, name: (2, glob(module, name)),
    "without protocol": lambda module, name: (0, glob(module, name)),
    "stack global": lambda module, name: (4, _by(short_text(module), short_text(name))),
    "long strings": lambda module, name: (4, _by(long_text(module), long_text(name))),
    "counted by eight bytes": lambda module, name: (
        4,
        _by(b"\x8d" + counted(module.encode(), "<Q"), b"\x8d" + counted(name.encode(), "<Q")),
    ),
    "escaped": lambda module, name: (4, _by(_escaped(module), _escaped(name))),
    "quoted": lambda module, name: (4, _by(_quoted(module), _quoted(name))),
    "old strings": lambda module, name: (4, _by(_old(module), _old(name))),
    "by the memo": lambda module, name: (4, _memo(module, name)),
    "by a memo of four bytes": lambda module, name: (4, _long_memo(module, name)),
    "by an overwritten memo": lambda module, name: (4, _overwritten(module, name)),
    "by a put of the top": lambda module, name: (4, _put_of_the_top(module, name)),
    "beside duplicates": lambda module, name: (
        4,
        short_text(module) + b"20" + short_text(name) + b"20" + b"\x93",
    ),
    "beside decoys": lambda module, name: (
        4,
        short_text(module) + short_text(name) + short_text("math") + b"0(" + short_text("sqrt") + b"1\x93",
    ),
    "computed": lambda module, name: (4, _computed(module, name)),
    "dotted": lambda module, name: (4, _dotted(module, name)),
    "aliased": lambda module, name: (2, glob(_ALIASES.get(module, module), name)),
}
