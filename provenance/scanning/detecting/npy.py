"""The header of a ``.npy`` file (NEP 1), as far as telling whether its items are Python objects."""

from __future__ import annotations

import re

__all__ = ["npy_has_objects"]

_OBJECT = re.compile(rb"['\"](?:[|<>=]?O\d*|object)['\"]")


def npy_has_objects(head: bytes) -> bool:
    """Whether the header names an object type anywhere; such an array's data is a pickle."""
    width = 2 if head[6:7] == b"\x01" else 4
    length = int.from_bytes(head[8 : 8 + width], "little")
    header = head[8 + width : 8 + width + length]
    return _OBJECT.search(header) is not None
