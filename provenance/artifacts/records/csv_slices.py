"""``csv-raw/1``: a record is the slice of the file that RFC 4180 calls one, without its line break, byte for byte.

The header (the first record) is no leaf: the statement holds it as text, so that no other one can stand above the same
records; a byte order mark is part of it. Records end in LF or CRLF; a quoted field may hold both. Refused are empty
lines, quotes inside fields without quotes, and a carriage return outside of quotes, for readers differ about them.

Source: RFC 4180, section 2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import Final

from provenance.artifacts.records.source import MAX_RECORD_BYTES, RecordSource, shown, unclear

__all__ = ["MAX_HEADER_BYTES", "csv_records"]

MAX_HEADER_BYTES: Final = 64 * 1024
# A field in quotes, or one without quotes and line breaks; possessive, so that no text takes long to refuse.
_FIELD: Final = rb'(?:"[^"]*+(?:""[^"]*+)*+"|[^",\r\n]*+)'
_RECORD: Final = re.compile(rb"%b(?:,%b)*+" % (_FIELD, _FIELD))


def csv_records(source: RecordSource) -> tuple[str, Iterator[list[bytes]]]:
    """Return the header and the records in batches, which are read as they are asked for.

    Raises ``Malformed`` (CON016), while reading too.
    """
    batches = _batches(source)
    first = next(batches, None)
    if first is None:
        raise unclear(f"{source.name} has no header")
    header, rest = first[0], first[1:]
    if len(header) > MAX_HEADER_BYTES:
        raise unclear(f"the header of {source.name} has more than {MAX_HEADER_BYTES >> 10} KiB")
    try:
        text = header.decode("utf-8")
    except UnicodeDecodeError:
        raise unclear(f"the header of {source.name} is not UTF-8", "write the file in UTF-8") from None
    return text, chain([rest] if rest else [], batches)


def _batches(source: RecordSource) -> Iterator[list[bytes]]:
    """Cut at line breaks outside of quotes: where the quotes so far are even in number."""
    rest = b""
    open_record: list[bytes] = []
    open_bytes = 0
    while chunk := source.chunk():
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        batch: list[bytes] = []
        for line in lines:
            if not open_record and b'"' not in line:
                batch.append(line)
                continue
            open_record.append(line)
            open_bytes += len(line) + 1
            if line.count(b'"') & 1 == (len(open_record) == 1):  # it opens, or stays open
                _bound(open_bytes, source)
                continue
            batch.append(b"\n".join(open_record))
            open_record, open_bytes = [], 0
        _bound(open_bytes + len(rest), source)
        if batch:
            yield _checked(batch, source)
    if open_record or rest:
        yield _checked([b"\n".join([*open_record, rest])], source)


def _bound(count: int, source: RecordSource) -> None:
    if count > MAX_RECORD_BYTES:
        raise unclear(
            f"{source.name} has a record of more than {MAX_RECORD_BYTES >> 20} MiB, or a quote stays open"
        )


def _checked(batch: list[bytes], source: RecordSource) -> list[bytes]:
    """Take the carriage returns of line breaks away, and hold each record with quotes or another one to RFC 4180."""
    found = [record[:-1] if record[-1:] == b"\r" else record for record in batch]
    for record in found:
        if not record:
            raise unclear(f"{source.name} has an empty line", "remove it")
        if (b'"' in record or b"\r" in record) and not _RECORD.fullmatch(record):
            raise unclear(
                f"{source.name} has a record that is not one of RFC 4180: {shown(record)}",
                'put fields with quotes, commas or line breaks into quotes, and double each " in them',
            )
        if len(record) > MAX_RECORD_BYTES:
            raise unclear(f"{source.name} has a record of more than {MAX_RECORD_BYTES >> 20} MiB")
    return found
