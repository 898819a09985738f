"""Helpers: cut bytes into records."""

from __future__ import annotations

import os
import tempfile

from provenance.artifacts.records.cutting import cut
from provenance.artifacts.records.source import RecordSource


def cut_bytes(record_format, data):
    """Return the records, what the cut says of all of them, and the digest of the file."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        source = RecordSource(file.fileno(), "file")
        found = cut(record_format, source)
        records = [record for batch in found.batches for record in batch]
        return records, found, source.finish()


def cut_file(record_format, path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        source = RecordSource(descriptor, str(path))
        found = cut(record_format, source)
        return [record for batch in found.batches for record in batch], found, source.finish()
    finally:
        os.close(descriptor)
