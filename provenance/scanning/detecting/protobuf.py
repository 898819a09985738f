"""Protocol buffers have no magic: ONNX and SavedModel are told by the fields of their outermost message.

Fields: ``onnx.proto3`` (ModelProto) and ``saved_model.proto`` (SavedModel).
"""

from __future__ import annotations

__all__ = ["model_format"]

# ModelProto: field number -> wire type.
_ONNX = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
_FIELDS = 200  # fields that are looked at


def model_format(head: bytes, size: int) -> str:
    """``onnx``, ``savedmodel`` or empty."""
    fields = _outer_fields(head, size)
    if not fields:
        return ""
    numbers = {number for number, _, _ in fields}
    if fields[0] == (1, 0, 1) and numbers == {1, 2} and head[2:3] == b"\x12":
        return "savedmodel"
    if all(_ONNX.get(number) == wire for number, wire, _ in fields) and 7 in numbers and 1 in numbers:
        return "onnx"
    return ""


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
