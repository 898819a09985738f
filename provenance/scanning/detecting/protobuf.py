"""Protocol buffers have no magic: ONNX and TensorFlow's files are told by the fields of their outermost message.

Fields: ``onnx.proto3`` (ModelProto), ``saved_model.proto``, ``fingerprint.proto``, ``graph.proto`` (GraphDef) and
``saved_metadata.proto``.
"""

from __future__ import annotations

__all__ = ["TABLE_MAGIC", "has_keras_metadata", "is_graph", "model_format"]

# ModelProto: field number -> wire type.
_ONNX = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
_FIELDS = 200  # fields that are looked at
# FingerprintDef: checksums 1 to 5, version 6, identifier 7.
_FINGERPRINT = {1: 0, 2: 0, 3: 0, 4: 0, 5: 0, 6: 2, 7: 2}
_GRAPH = {1: 2, 2: 2, 3: 0, 4: 2, 5: 2}  # GraphDef: nodes, library, version, versions, debug_info
_KERAS = b"_tf_keras_"  # what the nodes of Keras's metadata are called

TABLE_MAGIC = b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"
"""The last bytes of a table as LevelDB and TensorFlow write it."""


def model_format(head: bytes, size: int) -> str:
    """``onnx``, ``savedmodel``, ``sentencepiece`` or empty."""
    fields = _outer_fields(head, size)
    if not fields:
        return ""
    numbers = {number for number, _, _ in fields}
    if {(number, wire) for number, wire, _ in fields} == {(1, 0), (2, 2)}:
        return "savedmodel"
    if all(_ONNX.get(number) == wire for number, wire, _ in fields) and 7 in numbers and 1 in numbers:
        return "onnx"
    if _is_vocabulary(head, fields):
        return "sentencepiece"
    small = size <= 1024 and len(fields) >= 5 and all(_FINGERPRINT.get(n) == wire for n, wire, _ in fields)
    if small or has_keras_metadata(head, size) or is_graph(head, size):
        return "savedmodel"
    return ""


def _is_vocabulary(head: bytes, fields: list[tuple[int, int, int]]) -> bool:
    """Whether this is SentencePiece's model: pieces, each a text and a score (number 2, four bytes)."""
    if len(fields) < 3 or not all(wire == 2 and 1 <= number <= 5 for number, wire, _ in fields):
        return False
    length, at = _varint(head, 1)
    text, begin = _varint(head, at + 1) if at > 0 and head[at : at + 1] == b"\x0a" else (0, -1)
    return (
        fields[0][0] == 1 and begin > 0 and head[begin + text : begin + text + 1] == b"\x15" and length < 1024
    )


def has_keras_metadata(head: bytes, size: int) -> bool:
    """Whether this is a list of Keras's layers (SavedMetadata)."""
    fields = _outer_fields(head, size)
    return _KERAS in head and bool(fields) and all((number, wire) == (1, 2) for number, wire, _ in fields)


def is_graph(head: bytes, size: int) -> bool:
    """Whether this is a graph by itself (GraphDef): nodes that each begin with their name and operator."""
    fields = _outer_fields(head, size)
    if not fields or not all(_GRAPH.get(number) == wire for number, wire, _ in fields) or fields[0][0] != 1:
        return False
    name, at = (
        _varint(head, _varint(head, 1)[1] + 1) if head[_varint(head, 1)[1] :][:1] == b"\x0a" else (0, -1)
    )
    length, begin = (
        _varint(head, at + name + 1) if at > 0 and head[at + name : at + name + 1] == b"\x12" else (0, -1)
    )
    operator = head[begin : begin + length] if begin > 0 else b""
    return 0 < length < 256 and operator.replace(b">", b"").replace(b"_", b"").isalnum()


def _outer_fields(head: bytes, size: int) -> list[tuple[int, int, int]]:
    """(number, wire type, value or length) of the outer fields that begin in ``head``; empty where that is broken."""
    fields: list[tuple[int, int, int]] = []
    pos = 0
    while pos < len(head) and len(fields) < _FIELDS:
        key, pos = _varint(head, pos)
        value, pos = _varint(head, pos) if pos > 0 else (0, -1)
        number, wire = key >> 3, key & 7
        if pos < 0 or wire not in (0, 2) or not number:
            return []
        fields.append((number, wire, value))
        pos += value if wire == 2 else 0
        if pos > size:
            return []
    return fields


def _varint(data: bytes, pos: int) -> tuple[int, int]:
    """Value and next position; position -1 where it does not end within ten bytes."""
    value = 0
    for shift in range(0, 70, 7):
        if pos >= len(data):
            return 0, -1
        byte = data[pos]
        pos += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, pos
    return 0, -1
