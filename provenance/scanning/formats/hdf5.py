"""HDF5, as far as it is read: Keras's configuration among the attributes, and links that leave the file.

The file's own structures are not followed. Keras writes its configuration as one JSON text, and an external link holds
the name of the other file beside its path: both are found wherever they stand.
Format: HDF5 file format 3.0, IV.A.2.g (link message).
"""

from __future__ import annotations

import json
import re
from typing import Any

from provenance.scanning.context import Context
from provenance.scanning.formats.configs import config_faults
from provenance.scanning.readers import Reader

__all__ = ["read_hdf5"]

_STEP = 8 << 20
_OVERLAP = 256
_MAX_READ = 4 << 30
_MAX_CONFIG = 64 << 20
_MAX_CONFIGS = 200
_CONFIG = re.compile(rb'\{\s*"(?:class_name|module|config|name|registered_name)":')
# Version 1, flags, type 64, (creation order, character set, length of the name), name, length, 0, file, path.
_EXTERNAL = re.compile(
    rb"\x01[\x08-\x1f]\x40(?:.{8})?[\x00\x01]?[\x01-\xff]\x00{0,7}[\x20-\x7e]{1,255}.{2}\x00"
    rb"(?P<file>[\x20-\x7e]{1,200})\x00/[\x20-\x7e]{0,200}\x00",
    re.DOTALL,
)


def read_hdf5(context: Context, reader: Reader) -> None:
    """FMT012 and FMT014 for what a configuration names, FMT010 for links to other files."""
    offset, configs, skip_to = 0, 0, 0
    while offset < min(reader.size, _MAX_READ):
        data = reader.read_at(offset, _STEP + _OVERLAP)
        for link in _EXTERNAL.finditer(data) if b"\x40" in data else ():
            context.add("FMT010", f"a link leads to the file {link['file'].decode('latin-1')!r}")
        for match in _CONFIG.finditer(data):
            place = offset + match.start()
            if place >= skip_to and configs < _MAX_CONFIGS:
                configs += 1
                skip_to = place + _read_config(context, reader, place)
        offset += _STEP
    if reader.size > _MAX_READ:
        context.add("ARC007", "the file is larger than what is looked through")


def _read_config(context: Context, reader: Reader, place: int) -> int:
    """Read the JSON text that begins here; returns its length, or 1 where it is none."""
    length = 1 << 16
    while True:
        text = reader.read_at(place, length).decode("latin-1")
        try:
            value: Any
            value, end = json.JSONDecoder().raw_decode(text)
        except (ValueError, RecursionError):
            if length >= min(_MAX_CONFIG, reader.size - place):
                return 1
            length *= 8
            continue
        for fault, rule in config_faults(value):
            context.add(rule, fault)
        return end
