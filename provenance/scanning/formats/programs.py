"""Compiled programs and libraries, told by their magic: nothing that belongs among weights."""

from __future__ import annotations

from typing import Final

from provenance.scanning.context import Context
from provenance.scanning.readers import Reader

__all__ = ["read_unknown"]

_MAGIC: Final = (
    (b"\x7fELF", "an ELF program or library"),
    (b"\xfe\xed\xfa\xce", "a Mach-O program or library"),
    (b"\xfe\xed\xfa\xcf", "a Mach-O program or library"),
    (b"\xce\xfa\xed\xfe", "a Mach-O program or library"),
    (b"\xcf\xfa\xed\xfe", "a Mach-O program or library"),
    (b"\xca\xfe\xba\xbe", "a Java class or a Mach-O library"),
    (b"\0asm", "a WebAssembly module"),
    (b"dex\n", "a Dalvik program"),
)
_PYTHON_TAIL: Final = b"\r\n"  # behind the version, in the magic of compiled modules


def read_unknown(context: Context, reader: Reader) -> None:
    """FMT017 for a program; whatever else is not known stays unknown."""
    head = reader.read_at(0, 64)
    kind = next((kind for magic, kind in _MAGIC if head.startswith(magic)), "")
    if head[:2] == b"MZ":
        at = int.from_bytes(head[60:64], "little")
        kind = "a Windows program or library" if reader.read_at(at, 4) == b"PE\0\0" else ""
    if head[2:4] == _PYTHON_TAIL and len(head) > 16 and 3000 <= int.from_bytes(head[:2], "little") < 4000:
        kind = "a compiled Python module"
    if kind:
        context.add("FMT017", f"the file is {kind}")
