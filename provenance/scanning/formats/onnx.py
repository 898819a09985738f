"""ONNX: external data must stay beside the model, and operators must be the standard's or defined in the model.

Format: ``onnx.proto3``. Read without importing ``onnx``, whose own loader follows the paths in question.
"""

from __future__ import annotations

from provenance.artifacts.names import name_problem
from provenance.scanning.context import Context
from provenance.scanning.formats.protobuf import BrokenMessage, fields, text
from provenance.scanning.readers import Reader

__all__ = ["read_onnx"]

_DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training", "ai.onnx.preview")
_VENDORS = ("com.microsoft", "com.microsoft.nchwc", "com.microsoft.experimental", "com.ms.internal.nhwc")
_KEYS = ("location", "offset", "length", "checksum", "basepath")
_MAX_DEPTH = 24

# Messages that are looked into: kind -> field number -> kind of what lies there.
_INTO = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "external"},
}


class _Found:
    """Domains of operators that are used, and of functions that the model defines."""

    def __init__(self) -> None:
        self.used: dict[str, str] = {}
        self.defined: set[str] = set()


def read_onnx(context: Context, reader: Reader) -> None:
    """Walk the graph; FMT009 where it is broken, FMT010 and FMT011 for where it leads and what it calls."""
    found = _Found()
    try:
        _walk(context, reader, "model", 0, reader.size, found, 0)
    except BrokenMessage as error:
        context.add("FMT009", str(error))
    for domain, operator in found.used.items():
        if domain not in _DOMAINS and domain not in _VENDORS and domain not in found.defined:
            context.add(
                "FMT011",
                f"the operator `{operator}` is of the domain `{domain}`, which the model does not define",
            )


def _walk(
    context: Context, reader: Reader, kind: str, start: int, end: int, found: _Found, depth: int
) -> None:
    if depth > _MAX_DEPTH:
        raise BrokenMessage(f"graphs lie more than {_MAX_DEPTH} deep in one another")
    into = _INTO.get(kind, {})
    domain = operator = ""
    entry: dict[int, str] = {}
    for field in fields(reader, start, end):
        inner = into.get(field.number)
        if inner is not None:
            _walk(context, reader, inner, field.start, field.end, found, depth + 1)
        elif kind == "node" and field.number in (4, 7):
            operator, domain = (
                (text(reader, field), domain) if field.number == 4 else (operator, text(reader, field))
            )
        elif kind == "function" and field.number == 10:
            found.defined.add(text(reader, field))
        elif kind == "external":
            entry[field.number] = text(reader, field)
    if kind == "node":
        found.used.setdefault(domain, operator)
    elif kind == "external":
        _check_external(context, entry.get(1, ""), entry.get(2, ""))


def _check_external(context: Context, key: str, value: str) -> None:
    """One entry of a tensor's external data."""
    if key not in _KEYS:
        context.add("FMT010", f"external data has the unknown key {key[:60]!r}")
    elif key == "location":
        problem = name_problem(value.removeprefix("./"))
        if problem:
            context.add("FMT010", f"external data lies in {value[:120]!r}, which {problem}")
    elif key in ("offset", "length") and not value.isdigit():
        context.add("FMT009", f"the {key} of external data is no number")
