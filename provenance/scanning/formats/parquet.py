"""Parquet: columns of data; in its footer, types of Arrow that old readers rebuild by a pickle (CVE-2023-47248).

Format: ``README.md`` of Apache Parquet: the magic, columns, the footer, its length, the magic. Arrow's schema stands in
the footer in base64.
"""

from __future__ import annotations

import base64
import re
from typing import Final

from provenance.scanning.context import Context
from provenance.scanning.readers import Reader

__all__ = ["read_parquet"]

_MAX_FOOTER: Final = 64 << 20
_PICKLED: Final = b"arrow.py_extension_type"
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/]{64,}={0,2}")


def read_parquet(context: Context, reader: Reader) -> None:
    """Look through the footer: FMT014 for a pickled type, FMT009 where it is missing, FMT016 where it is hidden."""
    end = reader.read_at(max(0, reader.size - 8), 8)
    length = int.from_bytes(end[:4], "little")
    if end[4:] == b"PARE":
        context.add("FMT016", "the footer is encrypted")
    elif end[4:] != b"PAR1" or length > reader.size - 12:
        context.add("FMT009", "the file has no footer; it is cut off")
    elif length > _MAX_FOOTER:
        context.add("FMT016", f"the footer is larger than {_MAX_FOOTER >> 20} MiB")
    elif any(_PICKLED in part for part in _parts(reader.read_at(reader.size - 8 - length, length))):
        context.add("FMT014", "a column is of a type that old readers of Arrow rebuild by a pickle")


def _parts(footer: bytes) -> list[bytes]:
    """The footer, and what in it is written in base64, wherever that begins among letters."""
    found = [footer]
    for match in _BASE64.finditer(footer):
        for skipped in range(4):
            text = match[0].rstrip(b"=")[skipped:]
            found.append(base64.b64decode(text[: len(text) & ~3]))
    return found
