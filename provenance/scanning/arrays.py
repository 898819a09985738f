"""Arrays in numpy's format (``.npy``, NEP 1): the header, read without evaluating it, and objects behind it.

numpy reads the header by ``ast.literal_eval`` and arrays of objects by ``pickle.load``.
"""

from __future__ import annotations

import re
from math import prod
from typing import NamedTuple

from provenance.scanning.context import Context
from provenance.scanning.detecting.npy import npy_has_objects
from provenance.scanning.pickles.reading import read_streams
from provenance.scanning.pickles.source import ReaderSource
from provenance.scanning.readers import Reader

__all__ = ["ArrayHeader", "array_header", "read_array"]

_MAX_HEADER = 65_536
_MAX_NESTING = 20  # types within types
_HEADER = re.compile(
    rb"\{\s*'descr':\s*(?P<descr>'[^'\\]{1,64}'|\[[\w\s'\"(),\[\]<>=|:;.+-]*\]),\s*"
    rb"'fortran_order':\s*(?P<fortran>True|False),\s*'shape':\s*\((?P<shape>[\d\sL,]*)\),?\s*\}\s*\Z"
)
_CODE = re.compile(r"[|<>=]?([biufcSUVmMa?])(\d{1,9})(?:\[\w+\])?\Z")


class ArrayHeader(NamedTuple):
    """What a header says: the code of the dtype, whether the first axis runs fastest, sizes, where the items begin."""

    code: str
    fortran: bool
    shape: tuple[int, ...]
    start: int


def array_header(reader: Reader) -> ArrayHeader | None:
    """Read the header of an array of a plain dtype; None where it is broken, or of another form than numpy writes."""
    head = reader.read_at(0, _MAX_HEADER + 16)
    start = 10 if head[6:7] == b"\x01" else 12
    length = int.from_bytes(head[8:start], "little")
    fields = _HEADER.match(head[start : start + length])
    if head[6:7] not in (b"\x01", b"\x02", b"\x03") or len(head) < start + length or fields is None:
        return None
    code = fields["descr"].decode("latin-1").strip("'")
    return ArrayHeader(code, fields["fortran"] == b"True", _shape(fields["shape"]), start + length)


def _shape(text: bytes) -> tuple[int, ...]:
    """Sizes, which numpy of Python 2 wrote with an L behind each."""
    parts = (part.strip(b" L\n\t") for part in text.split(b","))
    return tuple(int(part[:20]) for part in parts if part.isdigit())  # 20 digits are too many for any file


def read_array(context: Context, reader: Reader) -> None:
    """Read one array: its header must be plain and describe the rest of the file."""
    head = reader.read_at(0, _MAX_HEADER + 16)
    width = 2 if head[6:7] == b"\x01" else 4
    start = 8 + width
    length = int.from_bytes(head[8:start], "little")
    header = head[start : start + length]
    if head[6:7] not in (b"\x01", b"\x02", b"\x03") or len(header) < length:
        context.add("FMT006", "the header is cut off, too long, or of another version")
        return
    if npy_has_objects(head):
        context.add("FMT007", "the items are Python objects")
        where = ", ".join(part for part in (context.where, "objects") if part)
        read_streams(ReaderSource(reader, start + length), context.allowed, context.report, where=where)
        context.take_report()
        return
    _check_size(context, header, reader.size - start - length)


def _check_size(context: Context, header: bytes, rest: int) -> None:
    """Compare shape and type with the bytes that follow."""
    fields = _HEADER.match(header)
    if fields is None:
        context.add("FMT006", "the header is not in the form that numpy writes")
        return
    item = _item_size(fields["descr"].decode("latin-1"))
    if item < 0:
        context.add("FMT006", "the type of the items is not in the form that numpy writes")
        return
    shape = _shape(fields["shape"])
    if prod(shape) * item != rest:
        context.add("FMT006", f"the array takes {prod(shape) * item} bytes and {rest} follow")


def _item_size(descr: str) -> int:
    """Bytes of an item by its type as the header gives it; -1 where it is none."""
    import ast

    if (
        max((descr[:at].count("[") - descr[:at].count("]") for at in _brackets(descr)), default=0)
        > _MAX_NESTING
    ):
        return -1
    try:
        return _size_of(ast.literal_eval(descr))
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return -1


def _brackets(descr: str) -> list[int]:
    return [at + 1 for at, character in enumerate(descr) if character == "["][: _MAX_NESTING + 1]


def _size_of(descr: object) -> int:
    """A code, or a list of fields, each (name, type) or (name, type, shape). Raises ValueError, TypeError."""
    if isinstance(descr, str):
        code = _CODE.match(descr)
        if code is None:
            raise ValueError(descr)
        return int(code[2]) * (4 if code[1] == "U" else 1)
    if not isinstance(descr, list):
        raise TypeError(descr)
    total = 0
    for field in descr:
        _name, kind, *shape = field
        sizes = shape[0] if shape and isinstance(shape[0], tuple) else tuple(shape)
        if not all(type(size) is int and 0 <= size < 1 << 32 for size in sizes):
            raise ValueError(descr)
        total += prod(sizes) * _size_of(kind)
    return total
