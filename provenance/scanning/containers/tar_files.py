"""Tar archives: ustar, with GNU's and pax's long names. Links and devices are refused, not followed."""

from __future__ import annotations

from provenance.artifacts.names import name_problem
from provenance.scanning.context import Context
from provenance.scanning.detecting.archives import is_tar_header
from provenance.scanning.readers import Reader, SliceReader

__all__ = ["read_tar"]

_BLOCK = 512
_MAX_MEMBERS = 200_000
_MAX_NAME = 1 << 20
_FILES, _DIRECTORY, _LINKS = b"0\0" + b"7", b"5", b"12"
_LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL = b"L", b"K", b"x", b"g"


def read_tar(context: Context, reader: Reader) -> None:
    """Read every member as a file of its own."""
    seen: set[str] = set()
    pos, long_name = 0, ""
    for _ in range(_MAX_MEMBERS):
        block = reader.read_at(pos, _BLOCK)
        if not block.strip(b"\0"):
            _check_end(context, reader, pos)
            return
        if len(block) < _BLOCK or not is_tar_header(block):
            context.add("ARC008", "what should be the header of a member is none", where=f"byte {pos}")
            return
        size = _size(block)
        if size < 0 or pos + _BLOCK + size > reader.size:
            context.add("ARC008", "a member is larger than the archive", where=f"byte {pos}")
            return
        inner = SliceReader(reader, pos + _BLOCK, size)
        kind = block[156:157]
        if kind in (_LONG_NAME, _PAX):
            long_name = _long_name(kind, inner.read_at(0, min(size, _MAX_NAME))) or long_name
        elif kind not in (_LONG_LINK, _PAX_GLOBAL):
            _read_member(context, inner, long_name or _name(block), kind, seen)
            long_name = ""
        pos += _BLOCK + (size + _BLOCK - 1) // _BLOCK * _BLOCK
    context.add("ARC007", f"more than {_MAX_MEMBERS} members")


def _read_member(context: Context, inner: Reader, name: str, kind: bytes, seen: set[str]) -> None:
    """One member: its name and kind first, then its bytes."""
    plain = name.removeprefix("./").rstrip("/")
    problem = name_problem(plain) if plain not in ("", ".") else None
    if problem:
        context.add("ARC006", f"the name {name!r} {problem}")
    if kind in _LINKS and kind:
        context.add("ARC006", f"{name!r} is a link")
    elif kind == _DIRECTORY:
        return
    elif kind not in _FILES:
        context.add("ARC006", f"{name!r} is neither a file nor a directory")
    elif plain.casefold() in seen:
        context.add("ARC001", f"{name!r} occurs twice")
    seen.add(plain.casefold())
    if kind in _FILES:
        context.member(inner, plain)


def _size(block: bytes) -> int:
    """The size of a member, in octal digits or, for large ones, in binary; -1 where it is none."""
    field = block[124:136]
    if field[0] & 0x80:
        return int.from_bytes(field[1:], "big") if field[0] == 0x80 else -1
    try:
        return int(field.strip(b" \0") or b"0", 8)
    except ValueError:
        return -1


def _name(block: bytes) -> str:
    """The name, with ustar's prefix."""
    name = block[:100].split(b"\0")[0].decode("utf-8", "replace")
    prefix = block[345:500].split(b"\0")[0].decode("utf-8", "replace") if block[257:263] == b"ustar\0" else ""
    return f"{prefix}/{name}" if prefix else name


def _long_name(kind: bytes, data: bytes) -> str:
    """The name in a GNU or pax header, or empty."""
    if kind == _LONG_NAME:
        return data.split(b"\0")[0].decode("utf-8", "replace")
    found = ""
    while data:
        length, _, rest = data.partition(b" ")
        if not length.isdigit() or not 0 < int(length) <= len(data):
            break
        key, _, value = data[len(length) + 1 : int(length)].rstrip(b"\n").partition(b"=")
        found = value.decode("utf-8", "replace") if key == b"path" else found
        data = data[int(length) :]
        del rest
    return found


def _check_end(context: Context, reader: Reader, pos: int) -> None:
    """Behind the last member there are only zeros, up to the end of a record."""
    while pos < reader.size:
        block = reader.read_at(pos, 1 << 20)
        if block.strip(b"\0"):
            context.add("ARC004", "bytes lie behind the end of the archive", where=f"byte {pos}")
            return
        if not block:
            return
        pos += len(block)
