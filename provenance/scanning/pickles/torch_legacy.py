"""What torch wrote before 1.6, and still writes of a storage inside a plain pickle: five pickles, then the bytes.

Format: ``torch/serialization.py`` (_legacy_save, _legacy_load). Every one of the five is read: each is unpickled.
"""

from __future__ import annotations

from provenance.scanning.pickles.allowlist import Allowed
from provenance.scanning.pickles.machine import Machine
from provenance.scanning.pickles.reading import read_stream
from provenance.scanning.pickles.report import Report
from provenance.scanning.pickles.source import ReaderSource
from provenance.scanning.pickles.values import Storage
from provenance.scanning.readers import Reader

__all__ = ["ITEM_BYTES", "MAGIC", "read_legacy"]

MAGIC = 0x1950A86A20F9469CFC6C
_PARTS = ("magic number", "protocol version", "system information", "object", "keys of the storages")
_OBJECT = 3

# Bytes of an item of each type of storage.
ITEM_BYTES = {
    **dict.fromkeys(("DoubleStorage", "LongStorage", "ComplexFloatStorage"), 8),
    **dict.fromkeys(("FloatStorage", "IntStorage", "QInt32Storage"), 4),
    **dict.fromkeys(("HalfStorage", "BFloat16Storage", "ShortStorage"), 2),
    **dict.fromkeys(("CharStorage", "ByteStorage", "BoolStorage", "QInt8Storage", "QUInt8Storage"), 1),
    **dict.fromkeys(("QUInt4x2Storage", "QUInt2x4Storage", "UntypedStorage"), 1),
    "ComplexDoubleStorage": 16,
}


def read_legacy(
    reader: Reader, allowed: Allowed, report: Report, *, where: str = "", nesting: int = 0
) -> None:
    """Read the five pickles, and check that the storages fill the rest of the file exactly."""
    machine = Machine(ReaderSource(reader), allowed, report)
    machine.nesting = nesting
    outer, report.storages = report.storages, {}
    end = 0
    for index, part in enumerate(_PARTS):
        machine.where = ", ".join(filter(None, (where, part)))
        machine.persistent = index == _OBJECT
        complete = read_stream(machine)
        if complete and not index and machine.result != MAGIC:
            machine.refuse("PKL005", "the magic number is another one")
        if not complete:
            break
        end = machine.offset
        machine.reset()
    else:
        _check_storages(list(report.storages.values()), reader.size - end, report, where)
    report.storages = outer


def _check_storages(storages: list[Storage], rest: int, report: Report, where: str) -> None:
    """Each storage is written as eight bytes for its size and then its items."""
    wanted = sum(8 + storage.items * ITEM_BYTES.get(storage.kind, 1) for storage in storages)
    if rest != wanted:
        report.add("PKL013", f"{rest} bytes follow the pickles, the storages take {wanted}", where)
