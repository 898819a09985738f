"""The directory of a zip file, read so strictly that no two loaders can see different members.

Format: PKWARE APPNOTE 6.3.10. torch takes the first of two members of a name and Python the last; either ignores what
the other checks. So whatever is described twice must agree, and every byte must belong to one member.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from provenance.artifacts.names import name_problem
from provenance.scanning.readers import Reader

__all__ = ["BrokenZip", "Member", "read_directory"]

_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_MAX_DIRECTORY = 64 << 20
_MAX_MEMBERS = 200_000
_FLAGS = 0x8 | 0x800  # sizes behind the data; a name in UTF-8
_DEFLATE_FLAGS = 0x6  # how hard deflate tried
_LINK, _TYPE = 0o120000, 0o170000


class BrokenZip(Exception):
    """There is no directory, or it does not describe the file; (rule id, message)."""


class Member(NamedTuple):
    """A member as the central directory describes it; ``header`` is where its local header lies."""

    name: str
    raw_name: bytes
    flags: int
    method: int
    checksum: int
    packed: int
    size: int
    header: int


class _End(NamedTuple):
    members: int
    length: int
    offset: int
    position: int  # where the records at the end begin


Report = Callable[[str, str], None]


def read_directory(reader: Reader, report: Report) -> tuple[list[Member], int, int]:
    """Members, and the begin and end of the central directory; faults go to ``report``. Raises BrokenZip."""
    end = _read_end(reader, report)
    begin = end.position - end.length
    if begin < 0 or end.length > _MAX_DIRECTORY or end.members > _MAX_MEMBERS:
        raise BrokenZip(
            "ARC007" if begin >= 0 else "ARC008", "the directory is larger than the file or the bounds"
        )
    if begin != end.offset:
        report("ARC004", f"{begin - end.offset} bytes stand in front of the archive or in front of its end")
    data = reader.read_at(begin, end.length)
    shift = begin - end.offset
    members = _read_members(data, shift, report)
    if len(members) != end.members:
        report("ARC002", f"the directory has {len(members)} members and says {end.members}")
    _check_names(members, report)
    return members, begin, end.position


def _read_end(reader: Reader, report: Report) -> _End:
    """The record at the end, with that of zip64 where there is one."""
    tail_at = max(0, reader.size - 65_557 - _LOCATOR.size - _END64.size)
    tail = reader.read_at(tail_at, reader.size - tail_at)
    found = tail.rfind(b"PK\x05\x06")
    if found < 0 or len(tail) - found < _END.size:
        raise BrokenZip("ARC008", "the archive has no directory at its end; it is cut off")
    _, disk, first_disk, on_disk, count, length, offset, comment = _END.unpack_from(tail, found)
    rest = len(tail) - found - _END.size - comment
    # Members may be archives themselves; within the directory no end has a place.
    if rest or tail.count(b"PK\x05\x06", max(0, found - length), found):
        report(
            "ARC004",
            f"{abs(rest)} bytes lie behind the end of the archive" if rest else "it has several ends",
        )
    if disk or first_disk or on_disk != count:
        report("ARC002", "the archive says that it is spread over several disks")
    if found >= _LOCATOR.size and tail[found - _LOCATOR.size :][:4] == b"PK\x06\x07":
        return _read_end64(reader, tail_at + found, (count, length, offset), report)
    return _End(count, length, offset, tail_at + found)


def _read_end64(reader: Reader, end: int, short: tuple[int, int, int], report: Report) -> _End:
    """Zip64: the numbers must be those of the plain record, where that has any."""
    locator = reader.read_at(end - _LOCATOR.size, _LOCATOR.size)
    stated = _LOCATOR.unpack(locator)[2]
    position = end - _LOCATOR.size - _END64.size
    record = reader.read_at(position, _END64.size) if position >= 0 else b""
    if len(record) < _END64.size or record[:4] != b"PK\x06\x06":
        raise BrokenZip("ARC008", "the zip64 record is not in front of its locator")
    if stated != position:
        report("ARC002", "the zip64 record is not where its locator says")
    count, length, offset = _END64.unpack(record)[-3:]
    for plain, wide, full in zip(
        short, (count, length, offset), (0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF), strict=True
    ):
        if plain not in (full, wide):
            report("ARC002", "the two records at the end contradict each other")
    return _End(count, length, offset, position)


def _read_members(data: bytes, shift: int, report: Report) -> list[Member]:
    """Walk the headers of the central directory."""
    members: list[Member] = []
    pos = 0
    while pos < len(data):
        if data[pos : pos + 4] != b"PK\x01\x02" or pos + _CENTRAL.size > len(data):
            report("ARC004", "the directory holds bytes that are no headers")
            break
        fields = _CENTRAL.unpack_from(data, pos)
        name_end = pos + _CENTRAL.size + fields[10]
        extra_end = name_end + fields[11]
        raw = data[pos + _CENTRAL.size : name_end]
        numbers = _wide_numbers(data[name_end:extra_end], (fields[9], fields[8], fields[16]), report)
        if fields[15] >> 16 & _TYPE == _LINK:
            report("ARC006", f"{raw!r} is a symbolic link")
        name = raw.decode("utf-8" if fields[3] & 0x800 else "cp437", "replace")
        members.append(
            Member(name, raw, fields[3], fields[4], fields[7], numbers[1], numbers[0], numbers[2] + shift)
        )
        pos = extra_end + fields[12]
    return members


def _wide_numbers(extra: bytes, numbers: tuple[int, int, int], report: Report) -> list[int]:
    """Size, packed size and offset, of which zip64 keeps the large ones in the extra field, in this order."""
    wide, pos = b"", 0
    while pos + 4 <= len(extra):
        tag, length = struct.unpack_from("<2H", extra, pos)
        if tag == 1:
            wide = extra[pos + 4 : pos + 4 + length]
        elif tag == 0x7075:
            report("ARC002", "a member has a second name in an extra field")
        pos += 4 + length
    found = []
    for number in numbers:
        if number == 0xFFFFFFFF and len(wide) >= 8:
            found.append(int.from_bytes(wide[:8], "little"))
            wide = wide[8:]
        else:
            found.append(number)
    return found


def _check_names(members: list[Member], report: Report) -> None:
    """Duplicates by folded case, names that leave the archive, flags that hide content."""
    seen: dict[str, str] = {}
    for member in members:
        name = member.name.rstrip("/") if member.name.endswith("/") and not member.size else member.name
        problem = name_problem(name)
        if problem:
            report("ARC006", f"the name {name!r} {problem}")
        other = seen.setdefault(name.casefold(), name)
        if other is not name:
            report(
                "ARC001",
                f"{name!r} occurs twice" if other == name else f"{name!r} and {other!r} are one name",
            )
        if member.flags & ~_FLAGS & ~(_DEFLATE_FLAGS if member.method == 8 else 0):
            report("ARC003", f"{name!r} has the flags {member.flags:#06x}")
