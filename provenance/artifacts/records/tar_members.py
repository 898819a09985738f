"""The regular files of a tar archive, read once from start to end, with every length bounded before it is read.

POSIX.1-2001 (pax) and GNU archives: of the extensions only long names are taken, and whatever could make another
reader see other files (links, sparse files, sizes in pax headers, data behind the end) is refused.

Source: IEEE Std 1003.1-2017, pax, "ustar Interchange Format" and "pax Extended Header"; GNU tar manual, "Basic Tar
Format".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from provenance.artifacts.records.source import RecordSource, shown, unclear

__all__ = ["tar_members"]

_BLOCK: Final = 512
_MAX_NAME_BYTES: Final = 64 * 1024
_REGULAR: Final = frozenset({b"0", b"\0", b"7"})
_DIRECTORY: Final = b"5"
_PAX: Final = b"x"
_PAX_GLOBAL: Final = b"g"
_GNU_NAME: Final = b"L"
# What a pax header may say without changing which bytes are whose.
_HARMLESS: Final = frozenset(
    {b"path", b"mtime", b"atime", b"ctime", b"uid", b"gid", b"uname", b"gname", b"comment"}
)


def tar_members(source: RecordSource) -> Iterator[tuple[str, int]]:
    """Yield name and size of each regular file; who iterates takes exactly the content before going on.

    Raises ``Malformed`` (CON016).
    """
    long_name: bytes | None = None
    while True:
        header = source.take(_BLOCK)
        if len(header) < _BLOCK or not header.strip(b"\0"):
            _require_end(header, long_name, source)
            return
        kind, size = header[156:157], _size(header, source)
        _check(header, source)
        if kind in {_PAX, _PAX_GLOBAL, _GNU_NAME}:
            data = _extension(source, size)
            if kind == _GNU_NAME:
                long_name = data.rstrip(b"\0")
            else:
                long_name = _pax_path(data, source, allowed=kind == _PAX) or long_name
            continue
        name = _name(long_name if long_name is not None else _ustar_name(header), source)
        long_name = None
        if kind in _REGULAR:
            yield name, size
            source.take(-size % _BLOCK)
        elif kind != _DIRECTORY or size:
            raise unclear(f"{source.name} has a member that is no file: `{name[:200]}`")


def _require_end(header: bytes, long_name: bytes | None, source: RecordSource) -> None:
    """Two blocks of zeros end an archive, and zeros alone may follow."""
    if len(header) < _BLOCK or long_name is not None:
        raise unclear(f"{source.name} is cut off, or no tar archive")
    while chunk := source.chunk():
        if chunk.strip(b"\0"):
            raise unclear(f"{source.name} has data behind its end")


def _size(header: bytes, source: RecordSource) -> int:
    field = header[124:136]
    # GNU writes large sizes to the base of 256, behind a byte with its first bit set.
    size = int.from_bytes(field[1:]) if field[0] == 0x80 else _octal(field)
    if not 0 <= size <= source.size:
        raise unclear(f"{source.name} has a member whose size cannot be")
    return size


def _octal(field: bytes) -> int:
    digits = field.rstrip(b" \0").lstrip(b" ")
    if not digits or digits.strip(b"01234567"):
        return -1 if digits else 0
    return int(digits, 8)


def _check(header: bytes, source: RecordSource) -> None:
    expected = sum(header[:148]) + 8 * 32 + sum(header[156:])
    if _octal(header[148:156]) != expected:
        raise unclear(f"{source.name} is no tar archive, or damaged: a header has a wrong checksum")


def _extension(source: RecordSource, size: int) -> bytes:
    if size > _MAX_NAME_BYTES:
        raise unclear(f"{source.name} has a header of {size:,} bytes")
    data = source.take(size + -size % _BLOCK)[:size]
    if len(data) != size:
        raise unclear(f"{source.name} is cut off in a header")
    return data


def _pax_path(data: bytes, source: RecordSource, *, allowed: bool) -> bytes | None:
    r"""Read the records ``LENGTH KEY=VALUE\n`` of a pax header; returns the path, where there is one."""
    path: bytes | None = None
    while data:
        digits, _, _ = data.partition(b" ")
        length = int(digits) if 0 < len(digits) < 8 and digits.isdigit() else 0
        key, equals, value = data[len(digits) + 1 : length].partition(b"=")
        if length < 5 or length > len(data) or not equals or value[-1:] != b"\n":
            raise unclear(f"{source.name} has a damaged pax header")
        if key not in _HARMLESS or (key == b"path" and not allowed):
            raise unclear(f"{source.name} has a pax header that is not supported: {shown(key)}")
        path = value[:-1] if key == b"path" else path
        data = data[length:]
    return path


def _ustar_name(header: bytes) -> bytes:
    name = header[:100].partition(b"\0")[0]
    prefix = header[345:500].partition(b"\0")[0] if header[257:263] == b"ustar\0" else b""
    return prefix + b"/" + name if prefix else name


def _name(raw: bytes, source: RecordSource) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise unclear(f"{source.name} has a member whose name is not UTF-8: {shown(raw)}") from None
