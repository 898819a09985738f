"""What lies in a range of a model file: the names of the tensors, for messages only."""

from __future__ import annotations

import os

from provenance.artifacts.listing import Listing
from provenance.artifacts.opening import open_artifact_file
from provenance.errors import Malformed, Unreadable
from provenance.scanning.readers import FileReader, Reader
from provenance.scanning.safetensors import header_length, parse_header

__all__ = ["describe_bytes", "describe_range"]

MAX_NAMES = 3
MAX_HEADER = 16 * 1024 * 1024


def describe_range(listing: Listing, name: str, start: int, end: int) -> str:
    """Name what lies in the bytes ``start`` to ``end`` of a file on the disk, as ``describe_bytes`` does."""
    try:
        descriptor = open_artifact_file(listing.root, name, allow_symlinks=listing.allow_symlinks)
    except OSError:
        return ""
    try:
        return describe_bytes(FileReader(descriptor, os.fstat(descriptor).st_size), start, end)
    finally:
        os.close(descriptor)


def describe_bytes(reader: Reader, start: int, end: int) -> str:
    """Name the tensors of a safetensors file that overlap the bytes ``start`` to ``end``; "" where there are none.

    The header is read from the very file that differs, so this is a help for people and no evidence.
    """
    try:
        length = header_length(reader.read_at(0, 8), reader.size)
        if length > MAX_HEADER:
            return ""
        header = parse_header(reader.read_at(0, 8 + length), reader.size)
    except (Malformed, Unreadable):
        return ""
    hit = [tensor.name for tensor in header.tensors if tensor.start < end and tensor.end > start]
    if start < header.data_start:
        hit.insert(0, "the header")
    if not hit:
        return ""
    more = f" and {len(hit) - MAX_NAMES} more" if len(hit) > MAX_NAMES else ""
    return ("tensor " if hit[0] != "the header" else "") + ", ".join(hit[:MAX_NAMES]) + more
