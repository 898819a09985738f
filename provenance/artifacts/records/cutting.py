"""The table of leaf rules: which rule cuts which format, in files of which names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Literal, NamedTuple

from provenance.artifacts.records.csv_slices import csv_records
from provenance.artifacts.records.lines import lines
from provenance.artifacts.records.source import RecordSource
from provenance.artifacts.records.webdataset import samples

__all__ = ["CUT_FORMATS", "Cut", "CutFormat", "cut", "holds_records"]

CutFormat = Literal["jsonl", "csv", "parquet", "webdataset"]


class Cut(NamedTuple):
    """The records of one file in batches, and what a format says of all of them."""

    batches: Iterator[list[bytes]]
    header: str | None = None
    schema_digest: str | None = None


def _jsonl(source: RecordSource) -> Cut:
    return Cut(lines(source))


def _csv(source: RecordSource) -> Cut:
    header, batches = csv_records(source)
    return Cut(batches, header=header)


def _parquet(source: RecordSource) -> Cut:
    from provenance.artifacts.records.parquet_rows import parquet_records

    digest, batches = parquet_records(source)
    return Cut(batches, schema_digest=digest.hex())


def _webdataset(source: RecordSource) -> Cut:
    return Cut(samples(source))


_CUTTERS: Final[dict[CutFormat, Callable[[RecordSource], Cut]]] = {
    "jsonl": _jsonl,
    "csv": _csv,
    "parquet": _parquet,
    "webdataset": _webdataset,
}
CUT_FORMATS: Final[tuple[CutFormat, ...]] = tuple(_CUTTERS)

# Which files of a directory hold the records; the others are part of the artifact alone.
_SUFFIXES: Final[dict[CutFormat, tuple[str, ...]]] = {
    "jsonl": (".jsonl", ".ndjson"),
    "csv": (".csv",),
    "parquet": (".parquet",),
    "webdataset": (".tar",),
}


def cut(record_format: CutFormat, source: RecordSource) -> Cut:
    """Begin to cut a file into records; raises ``Malformed`` (CON016), while reading too."""
    return _CUTTERS[record_format](source)


def holds_records(record_format: CutFormat, name: str) -> bool:
    """Tell by its name whether a file of a directory holds records of a format."""
    return name.lower().endswith(_SUFFIXES[record_format])
