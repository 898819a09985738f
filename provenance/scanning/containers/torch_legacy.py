"""Files in the form that torch wrote before 1.6."""

from __future__ import annotations

from provenance.scanning.context import Context
from provenance.scanning.pickles.torch_legacy import read_legacy
from provenance.scanning.readers import Reader

__all__ = ["read_torch_legacy"]


def read_torch_legacy(context: Context, reader: Reader) -> None:
    """Read the five pickles, and check that the storages fill the rest of the file."""
    read_legacy(reader, context.allowed, context.report, where=context.where)
    context.take_report()
