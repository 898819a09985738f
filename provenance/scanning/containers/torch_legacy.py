"""What torch wrote before 1.6: five pickles behind one another, then the storages' bytes.

Format: ``torch/serialization.py`` (_legacy_save, _legacy_load). Every one of the five is read: each is unpickled.
"""

from __future__ import annotations

from provenance.scanning.containers.torch_zip import ITEM_BYTES
from provenance.scanning.context import Context
from provenance.scanning.pickles.machine import Machine
from provenance.scanning.pickles.reading import read_stream
from provenance.scanning.pickles.source import ReaderSource
from provenance.scanning.readers import Reader

__all__ = ["MAGIC", "read_torch_legacy"]

MAGIC = 0x1950A86A20F9469CFC6C
_PARTS = ("magic number", "protocol version", "system information", "object", "keys of the storages")
_OBJECT = 3


def read_torch_legacy(context: Context, reader: Reader) -> None:
    """Read the five pickles, and check that the storages fill the rest of the file."""
    machine = Machine(ReaderSource(reader), context.allowed, context.report)
    context.report.storages = {}
    for index, part in enumerate(_PARTS):
        machine.where = ", ".join(filter(None, (context.where, part)))
        machine.persistent = index == _OBJECT
        complete = read_stream(machine)
        if complete and not index and machine.result != MAGIC:
            machine.refuse("PKL005", "the magic number is another one")
        if not complete:
            break
        end = machine.offset
        machine.reset()
    else:
        _check_storages(context, reader.size - end)
    context.take_report()


def _check_storages(context: Context, rest: int) -> None:
    """Each storage is written as eight bytes for its size and then its items."""
    storages = context.report.storages.values()
    wanted = sum(8 + storage.items * ITEM_BYTES.get(storage.kind, 1) for storage in storages)
    if rest != wanted:
        context.add("PKL013", f"{rest} bytes follow the pickles, the storages take {wanted}")
