"""The header of a safetensors file, parsed strictly: it must describe every byte of the file exactly once.

Format: eight bytes (little-endian length N), N bytes of JSON padded with spaces, then the tensors' bytes
(https://huggingface.co/docs/safetensors). Stricter than the `safetensors` library, which takes the last of
duplicate keys, arrays for objects, keys that it does not know, and white space before the first brace.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from provenance.errors import Malformed

__all__ = ["BITS", "MAX_HEADER_BYTES", "Header", "TensorInfo", "header_length", "parse_header"]

MAX_HEADER_BYTES: Final = 100_000_000  # the bound of the `safetensors` library
_MAX_DIMENSIONS: Final = 32  # what every numpy can hold
_MAX_BYTES: Final = 2**63 - 1  # offsets and strides are signed 64-bit numbers in numpy and torch
_METADATA: Final = "__metadata__"
_STRINGS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_STRUCTURE: Final = b"0123456789{}[],: \t\n\r"  # no sign, point, exponent or literal has a place in a header

BITS: Final[Mapping[str, int]] = {
    "BOOL": 8,
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "U8": 8,
    "I8": 8,
    "F8_E5M2": 8,
    "F8_E4M3": 8,
    "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "C64": 64,
    "F64": 64,
    "I64": 64,
    "U64": 64,
}
"""Bits of one element of each dtype of safetensors 0.8."""


class TensorInfo(msgspec.Struct, frozen=True, gc=False):
    """One tensor: its dtype (a key of ``BITS``), shape, and the bytes of the file ``[start, end)`` it takes."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


class Header(msgspec.Struct, frozen=True):
    """A proven header: the tensors in the order of their bytes, the metadata, and where the first byte lies."""

    tensors: tuple[TensorInfo, ...]
    metadata: dict[str, str]
    data_start: int


class _Entry(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


_TOP = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENTRY = msgspec.json.Decoder(_Entry)
_STRINGS_BY_NAME = msgspec.json.Decoder(dict[str, str])


def header_length(prefix: bytes | memoryview, file_size: int) -> int:
    """Read the length of the JSON text from the first eight bytes of a file of ``file_size`` bytes.

    Raises ``Malformed`` (FMT003) when it is over 100 MB or more than the file holds.
    """
    if len(prefix) < 8 or file_size < 8:
        raise _broken("the file ends before its header")
    length = int.from_bytes(prefix[:8], "little")
    if length > MAX_HEADER_BYTES:
        raise _broken(f"the header claims {length} bytes; at most {MAX_HEADER_BYTES} are allowed")
    if length > file_size - 8:
        raise _broken(f"the header claims {length} bytes and the file has {file_size - 8} behind its length")
    return length


def parse_header(data: bytes | memoryview, file_size: int) -> Header:
    """Parse the header at the start of ``data``, the first bytes (at least 8 + N) of a file of ``file_size`` bytes.

    Raises ``Malformed`` (FMT003), naming the tensor, unless the tensors tile the rest of the file exactly.
    """
    length = header_length(data[:8], file_size)
    text = bytes(data[8 : 8 + length])
    if len(text) < length:
        raise _broken("the file ends inside its header")
    entries, metadata = _decode(text)
    data_start = 8 + length
    tensors = sorted(_tensors(entries, data_start, file_size), key=lambda tensor: (tensor.start, tensor.end))
    _check_tiling(tensors, data_start, file_size)
    return Header(tuple(tensors), metadata, data_start)


def _decode(text: bytes) -> tuple[dict[str, _Entry], dict[str, str]]:
    """Decode the JSON text: typed, of bounded depth by its types, without duplicate keys."""
    if not text.startswith(b"{"):
        raise _broken("the header does not start with a brace")
    body = text.rstrip(b" ")
    if not body.endswith(b"}"):
        raise _broken("something else than spaces follows the header's last brace")
    members = _count_members(body)
    try:
        text.decode()  # str, so that bad UTF-8 is refused in names too
        top = _TOP.decode(body)
    except UnicodeDecodeError:
        raise _broken("the header is not UTF-8") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise _broken(f"the header is not a JSON object: {error}") from None
    metadata = _metadata(top.pop(_METADATA)) if _METADATA in top else None
    entries = {name: _entry(name, raw) for name, raw in top.items()}
    found = 4 * len(entries) + (1 + len(metadata) if metadata is not None else 0)
    if members != found:
        raise _broken(_duplicate(body))
    return entries, metadata or {}


def _count_members(body: bytes) -> int:
    """Count the members of all objects: the colons outside strings; refuse what is no structure of a header."""
    outside = _STRINGS.sub(b"", body) if b"\\" in body else b"".join(body.split(b'"')[::2])
    strange = outside.translate(None, _STRUCTURE)
    if strange:
        raise _broken(
            f"the header holds {strange[:16].decode(errors='replace')!r} where only digits may stand"
        )
    return outside.count(b":")


def _entry(name: str, raw: msgspec.Raw) -> _Entry:
    try:
        return _ENTRY.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _broken(f"{_tensor(name)}: {error}") from None


def _metadata(raw: msgspec.Raw) -> dict[str, str]:
    try:
        return _STRINGS_BY_NAME.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _broken(f"the metadata is not a map of strings to strings: {error}") from None


def _duplicate(body: bytes) -> str:
    """Say which key occurs twice; slow, and only for the message."""
    import json

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise KeyError(key)
            seen.add(key)
        return dict(pairs)

    try:
        json.loads(body, object_pairs_hook=unique)
    except KeyError as error:
        return f"the key {_short(str(error.args[0]))} occurs twice"
    except (ValueError, RecursionError):
        pass
    return "a key occurs twice"


def _tensors(entries: dict[str, _Entry], data_start: int, file_size: int) -> Iterable[TensorInfo]:
    available = file_size - data_start
    for name, entry in entries.items():
        start, end = entry.data_offsets
        if not start <= end <= available:
            where = f"bytes {start}-{end} of {available}"
            raise _broken(f"{_tensor(name)} lies outside of the file: {where}")
        if _length(name, entry) != end - start:
            described = f"{entry.dtype} {list(entry.shape)}"
            raise _broken(f"{_tensor(name)} is {described} and has {end - start} bytes")
        yield TensorInfo(name, entry.dtype, entry.shape, data_start + start, data_start + end)


def _length(name: str, entry: _Entry) -> int:
    """Bytes that shape and dtype ask for; the bound holds for the other axes too where one axis is empty."""
    bits = BITS.get(entry.dtype)
    if bits is None:
        raise _broken(f"{_tensor(name)} has the unknown dtype {_short(entry.dtype)}")
    if len(entry.shape) > _MAX_DIMENSIONS:
        raise _broken(
            f"{_tensor(name)} has {len(entry.shape)} dimensions; at most {_MAX_DIMENSIONS} are allowed"
        )
    total = math.prod(entry.shape)
    largest = total or math.prod(size or 1 for size in entry.shape)
    if largest * bits > 8 * _MAX_BYTES:
        raise _broken(f"{_tensor(name)} has a shape that overflows")
    length, rest = divmod(total * bits, 8)
    if rest:
        raise _broken(f"{_tensor(name)} does not end at a whole byte")
    return length


def _check_tiling(tensors: list[TensorInfo], data_start: int, file_size: int) -> None:
    """Each tensor begins where the one before ended, and the last one ends with the file."""
    position = data_start
    for tensor in tensors:
        if tensor.start != position:
            fault = (
                "overlaps the tensor before it" if tensor.start < position else "has unowned bytes before it"
            )
            raise _broken(f"{_tensor(tensor.name)} {fault} (byte {min(tensor.start, position)})")
        position = tensor.end
    if position != file_size:
        raise _broken(f"{file_size - position} bytes follow the last tensor")


def _tensor(name: str) -> str:
    return f"tensor {_short(name)}"


def _short(text: str) -> str:
    return text if len(text) <= 200 else text[:200] + "…"


def _broken(message: str) -> Malformed:
    return Malformed(message, code="FMT003", hint="do not load the file; write it again with safetensors")
