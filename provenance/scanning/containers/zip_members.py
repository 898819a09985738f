"""The members of a zip file: their local headers, checked against the directory, and their bytes."""

from __future__ import annotations

import bz2
import struct
import zlib
from collections.abc import Callable
from typing import NamedTuple

from provenance.scanning.containers.zip_directory import BrokenZip, Member, Report, read_directory
from provenance.scanning.context import Context, OverBudget
from provenance.scanning.readers import MemoryReader, Reader, SliceReader

__all__ = ["Archive", "open_archive", "open_member"]

_LOCAL = struct.Struct("<4s5H3I2H")
_MAX_UNPACKED = 1 << 30  # of one member
_STEP = 1 << 20


class Archive(NamedTuple):
    """A zip file: the reader, its members, and where the data of each begins, by the member's header."""

    reader: Reader
    members: list[Member]
    data: dict[int, int]


def open_archive(reader: Reader, context: Context) -> Archive | None:
    """Read the directory and every local header; faults become findings. None where nothing can be told."""

    def report(rule: str, message: str) -> None:
        context.add(rule, message)

    try:
        members, begin, end = read_directory(reader, report)
        data = _check_headers(reader, members, begin, report)
    except BrokenZip as error:
        context.add(*error.args)
        return None
    if reader.read_at(end, 4) not in (b"PK\x05\x06", b"PK\x06\x06"):
        context.add("ARC008", "the directory does not end where it says")
    return Archive(reader, members, data)


def _check_headers(reader: Reader, members: list[Member], begin: int, report: Report) -> dict[int, int]:
    """Compare each local header with the directory; between the members nothing may be left over."""
    data: dict[int, int] = {}
    expected = 0
    ordered = sorted(members, key=lambda one: one.header)
    for index, member in enumerate(ordered):
        following = ordered[index + 1].header if index + 1 < len(ordered) else begin
        start = _check_header(reader, member, report)
        if member.header != expected:
            kind = (
                "overlaps the one before it"
                if member.header < expected
                else "has unknown bytes in front of it"
            )
            report("ARC002" if member.header < expected else "ARC004", f"{member.name!r} {kind}")
        data[member.header] = start
        expected = _end_of_data(reader, member, start + member.packed, following, report)
    if expected != begin:
        report(
            "ARC002" if expected > begin else "ARC004", "the members do not end where the directory begins"
        )
    return data


def _check_header(reader: Reader, member: Member, report: Report) -> int:
    """Check one local header and return where the data begins."""
    if member.header < 0:
        raise BrokenZip("ARC008", f"{member.name!r} is not where the directory says")
    block = reader.read_at(member.header, _LOCAL.size + len(member.raw_name) + 64)
    if len(block) < _LOCAL.size or block[:4] != b"PK\x03\x04":
        raise BrokenZip("ARC008", f"{member.name!r} is not where the directory says")
    _, _, flags, method, _, _, checksum, packed, size, name_length, extra_length = _LOCAL.unpack_from(block)
    name_end = _LOCAL.size + name_length
    if block[_LOCAL.size : name_end] != member.raw_name:
        report("ARC002", f"{member.name!r} has another name in front of its data")
    if flags != member.flags or method != member.method:
        report("ARC002", f"{member.name!r} has other flags or another method in front of its data")
    if extra_length and 0xFFFFFFFF in (packed, size):
        extra = reader.read_at(member.header + name_end, extra_length)
        size, packed = _wide(extra, size, packed)
    for local, central in ((checksum, member.checksum), (packed, member.packed), (size, member.size)):
        if local != central and not (flags & 8 and local == 0):
            report("ARC002", f"{member.name!r} has other sizes or another checksum in front of its data")
    return int(member.header + name_end + extra_length)


def _wide(extra: bytes, size: int, packed: int) -> tuple[int, int]:
    """Zip64's sizes from the extra field of a local header."""
    pos = 0
    while pos + 4 <= len(extra):
        tag, length = struct.unpack_from("<2H", extra, pos)
        if tag == 1 and length >= 16:
            wide_size, wide_packed = struct.unpack_from("<2Q", extra, pos + 4)
            return wide_size if size == 0xFFFFFFFF else size, wide_packed if packed == 0xFFFFFFFF else packed
        pos += 4 + length
    return size, packed


def _end_of_data(reader: Reader, member: Member, end: int, following: int, report: Report) -> int:
    """Where the next member must begin: behind the data, and behind the sizes that may follow it."""
    if not member.flags & 8 or following <= end:
        return end
    block = reader.read_at(end, min(24, following - end))
    signed = block[:4] == b"PK\x07\x08"
    body = block[4:] if signed else block
    for layout in ("<I2Q", "<3I"):
        width = struct.calcsize(layout)
        if len(body) >= width and struct.unpack_from(layout, body)[1:] == (member.packed, member.size):
            if struct.unpack_from("<I", body)[0] != member.checksum:
                report("ARC002", f"{member.name!r} has another checksum behind its data")
            return end + width + (4 if signed else 0)
    report("ARC002", f"{member.name!r} has other sizes behind its data")
    return end


def open_member(archive: Archive, member: Member, context: Context, *, check: bool = True) -> Reader | None:
    """A reader over a member's bytes, unpacked; None after a finding where they cannot be had.

    ``check``: compare the checksum, for whatever is interpreted; raw tensors are not read.
    """
    start = archive.data[member.header]
    packed = SliceReader(archive.reader, start, member.packed)
    if packed.size < member.packed:
        context.add("ARC008", "the archive ends within the member", where=member.name)
        return None
    if member.method == 0:
        if member.packed != member.size:
            context.add("ARC002", "the two sizes of a member that is not packed differ", where=member.name)
        if check and _checksum(packed) != member.checksum:
            context.add("ARC005", "the checksum is wrong", where=member.name)
        return packed
    unpacker = _unpacker(member.method)
    if unpacker is None:
        context.add("ARC009", f"the member is packed by method {member.method}", where=member.name)
        return None
    return _unpack(packed, unpacker, member, context)


def _unpacker(method: int) -> Callable[[], zlib._Decompress | bz2.BZ2Decompressor] | None:
    if method == 8:
        return lambda: zlib.decompressobj(-15)
    return bz2.BZ2Decompressor if method == 12 else None


def _checksum(reader: Reader) -> int:
    """CRC-32 of all bytes."""
    value, offset = 0, 0
    while offset < reader.size:
        data = reader.read_at(offset, _STEP)
        if not data:
            break
        value = zlib.crc32(data, value)
        offset += len(data)
    return value


def _unpack(packed: Reader, make: Callable[[], object], member: Member, context: Context) -> Reader | None:
    """Unpack into memory, within the bounds."""
    if member.size > _MAX_UNPACKED:
        context.add("ARC007", f"the member unpacks to {member.size} bytes", where=member.name)
        return None
    unpacker = make()
    assert isinstance(unpacker, bz2.BZ2Decompressor | type(zlib.decompressobj()))
    data = bytearray()
    offset = 0
    try:
        while offset < packed.size and not unpacker.eof:
            block = packed.read_at(offset, _STEP)
            offset += len(block)
            data += unpacker.decompress(block, member.size + 1 - len(data))
            if not block or len(data) > member.size:
                break
        context.spend(len(data))
    except OverBudget:
        context.add("ARC007", "the file unpacks to more bytes than the reader follows", where=member.name)
        return None
    except (zlib.error, OSError, EOFError, ValueError):
        context.add("ARC008", "the member cannot be unpacked", where=member.name)
        return None
    if len(data) != member.size or not unpacker.eof:
        context.add(
            "ARC002", f"the member unpacks to other than the {member.size} bytes it says", where=member.name
        )
    elif zlib.crc32(data) != member.checksum:
        context.add("ARC005", "the checksum is wrong", where=member.name)
    elif unpacker.unused_data or offset < packed.size:
        context.add("ARC004", "bytes lie behind the end of the packed data", where=member.name)
    return MemoryReader(memoryview(data))
