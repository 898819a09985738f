r"""``jsonl-raw/1``: a record is a line without its newline, byte for byte; JSON is not read.

The last line may lack its newline. Refused are CRLF (``\r`` before a newline or at the end of the file), empty lines
and a byte order mark, which readers of JSON Lines see in different ways; bytes that are not UTF-8 are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from provenance.artifacts.records.source import MAX_RECORD_BYTES, RecordSource, unclear

__all__ = ["BYTE_ORDER_MARK", "line_batches", "lines"]

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def lines(source: RecordSource) -> Iterator[list[bytes]]:
    """Yield the records of a JSON Lines file in batches; raises ``Malformed`` (CON016)."""
    first = True
    for batch in line_batches(source):
        if first and batch[0].startswith(BYTE_ORDER_MARK):
            raise unclear(f"{source.name} begins with a byte order mark", "write it as UTF-8 without one")
        first = False
        yield batch


def line_batches(source: RecordSource) -> Iterator[list[bytes]]:
    """Yield lines in batches, none of which is empty, ends in a carriage return or has more than 64 MiB."""
    rest = b""
    while chunk := source.chunk():
        batch = (rest + chunk).split(b"\n")
        rest = batch.pop()
        _check(batch, rest, source)
        if batch:
            yield batch
    if rest:
        _check([rest], b"", source)
        yield [rest]


def _check(batch: list[bytes], rest: bytes, source: RecordSource) -> None:
    if (
        max(len(rest), len(batch[0]) if batch else 0) > MAX_RECORD_BYTES
    ):  # only the first can come from before
        raise unclear(f"{source.name} has a line of more than {MAX_RECORD_BYTES >> 20} MiB")
    for line in batch:
        if not line:
            raise unclear(f"{source.name} has an empty line", "remove it")
        if line[-1] == 13:
            raise unclear(f"{source.name} has a line that ends in CRLF", "write it with LF alone")
