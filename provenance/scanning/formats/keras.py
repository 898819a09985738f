"""Keras v3 archives: a zip of the configuration, what wrote it, the weights in HDF5, and assets of layers.

Format: ``keras/src/saving/saving_lib.py``. Keras takes JSON in any Unicode encoding, and so does this reader.
"""

from __future__ import annotations

from typing import Final

from provenance.scanning.containers.zip_members import open_archive, open_member
from provenance.scanning.context import Context
from provenance.scanning.formats.configs import read_config_text
from provenance.scanning.formats.skops import SCHEMA
from provenance.scanning.readers import Reader

__all__ = ["read_keras"]

_CONFIGS: Final = ("config.json", "metadata.json")
_MAX_CONFIG: Final = 64 << 20


def read_keras(context: Context, reader: Reader) -> None:
    """Read every member, the configuration as one of Keras's own."""
    archive = open_archive(reader, context)
    for member in archive.members if archive else ():
        if not archive or (member.name.endswith("/") and not member.size):
            continue
        inner = open_member(archive, member, context)
        if inner is None:
            continue
        if member.name in _CONFIGS and inner.size <= _MAX_CONFIG:
            read_config_text(context, inner.read_at(0, inner.size), member.name, keras=True)
        elif member.name in _CONFIGS:
            context.add("FMT016", "the configuration is larger than is read", where=member.name)
        else:
            if member.name == SCHEMA:
                context.add("ARC010", "the file is also one of skops's")
            context.member(inner, member.name)
