"""ONNX: external data must stay beside the model, and operators must be the standard's or defined in the model.

Format: ``onnx.proto3``. Read without importing ``onnx``, whose own loader follows the paths in question.
"""

from __future__ import annotations

from typing import Final

from provenance.artifacts.names import name_problem
from provenance.scanning.context import Context
from provenance.scanning.formats.protobuf import BrokenMessage, Field, fields, text
from provenance.scanning.readers import Reader

__all__ = ["read_onnx"]

_DOMAINS: Final = (
    "",
    "ai.onnx",
    "ai.onnx.ml",
    "ai.onnx.training",
    "ai.onnx.preview.training",
    "ai.onnx.preview",
)
_VENDORS: Final = (
    "com.microsoft",
    "com.microsoft.nchwc",
    "com.microsoft.experimental",
    "com.ms.internal.nhwc",
)
_KEYS: Final = ("location", "offset", "length", "checksum")
_MAX_DEPTH: Final = 24
_MAX_SHOWN: Final = 20  # domains, each with one operator
_MAX_FIELDS: Final = 5_000_000

# Messages that are looked into: kind -> field number -> kind of what lies there.
_INTO: Final[dict[str, dict[int, str]]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}


class _Walk:
    """Domains of operators that are used, and of functions that the model defines."""

    def __init__(self, context: Context, reader: Reader) -> None:
        self.context = context
        self.reader = reader
        self.used: dict[str, str] = {}
        self.defined: set[str] = set()
        self.fields = 0

    def message(self, kind: str, start: int, end: int, depth: int) -> None:
        """Walk one message and all in it."""
        if depth > _MAX_DEPTH:
            raise BrokenMessage(f"graphs lie more than {_MAX_DEPTH} deep in one another")
        into = _INTO.get(kind, {})
        own: dict[int, str] = {}
        external: list[Field] = []
        for field in fields(self.reader, start, end):
            self.fields += 1
            inner = into.get(field.number)
            if inner is not None:
                self.message(inner, field.start, field.end, depth + 1)
            elif kind == "tensor" and field.number == 13:
                external.append(field)
            elif (kind == "node" and field.number in (4, 7)) or (kind == "function" and field.number == 10):
                own[field.number] = text(self.reader, field)
            if self.fields > _MAX_FIELDS:
                raise BrokenMessage("it has more fields than are read")
        if kind == "node":
            self.used.setdefault(own.get(7, ""), own.get(4, ""))
        elif kind == "function":
            self.defined.add(own.get(10, ""))
        if external:
            self.external([self.entry(field) for field in external])

    def entry(self, field: Field) -> tuple[str, str]:
        """Key and value of an entry of external data."""
        found = {
            inner.number: text(self.reader, inner) for inner in fields(self.reader, field.start, field.end)
        }
        return found.get(1, ""), found.get(2, "")

    def external(self, entries: list[tuple[str, str]]) -> None:
        """What one tensor says of where its data lies."""
        context, found = self.context, dict(entries)
        if len(found) < len(entries):
            context.add("FMT010", "external data has a key twice")
        for key in found.keys() - set(_KEYS):
            context.add("FMT010", f"external data has the unknown key {key[:60]!r}")
        for key in ("offset", "length"):
            number = found.get(key, "0")
            if not (number.isascii() and number.isdigit()) or len(number) > 18:
                context.add("FMT009", f"the {key} of external data is no number of bytes")
                return
        location = found.get("location", "")
        name = location.removeprefix("./")
        problem = name_problem(name)
        if problem:
            context.add("FMT010", f"external data lies in {location[:120]!r}, which {problem}")
        else:
            end = int(found.get("offset", "0")) + int(found.get("length", "0"))
            context.refers[name] = max(context.refers.get(name, 0), end)


def read_onnx(context: Context, reader: Reader) -> None:
    """Walk the graph; FMT009 where it is broken, FMT010 and FMT011 for where it leads and what it calls."""
    walk = _Walk(context, reader)
    try:
        walk.message("model", 0, reader.size, 0)
    except BrokenMessage as error:
        context.add("FMT009", str(error))
    strange = [
        domain for domain in walk.used if domain not in (*_DOMAINS, *_VENDORS) and domain not in walk.defined
    ]
    for domain in strange[:_MAX_SHOWN]:
        operator = f"the operator `{walk.used[domain][:80]}` is of the domain `{domain[:80]}`"
        context.add("FMT011", f"{operator}, which the model does not define")
