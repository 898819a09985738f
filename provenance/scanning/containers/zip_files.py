"""Zip files in general, and the kinds that are read member by member: `.npz`, `.keras`, `.mar`, skops, exports."""

from __future__ import annotations

from provenance.scanning.containers.zip_members import Archive, open_archive, open_member
from provenance.scanning.context import Context
from provenance.scanning.formats.skops import SCHEMA, check_schema
from provenance.scanning.readers import Reader

__all__ = ["read_members", "read_zip"]


def read_zip(context: Context, reader: Reader) -> None:
    """Read every member as a file of its own."""
    archive = open_archive(reader, context)
    if archive is not None:
        read_members(context, archive)


def read_members(context: Context, archive: Archive, *, leave: frozenset[str] = frozenset()) -> None:
    """Read the members, but those named in ``leave``."""
    for member in archive.members:
        if member.name in leave or (member.name.endswith("/") and not member.size):
            continue
        inner = open_member(archive, member, context)
        if inner is None:
            continue
        if member.name == SCHEMA:  # skops looks for it in any zip, and takes JSON in any encoding
            check_schema(context, inner)
        context.member(inner, member.name)
