"""What ``torch.save`` writes: the pickle is read, and its storages are records of the same zip.

Format: ``torch/serialization.py`` (_save, _load); the record ``byteorder`` says how numbers are written.
"""

from __future__ import annotations

import sys

from provenance.loading.converting.content import Uncarried
from provenance.loading.converting.flattening import Flat
from provenance.loading.converting.pickled import Broken, flatten_stream
from provenance.loading.converting.torch_values import Lookup, Stored
from provenance.scanning.containers.torchscript import script_names
from provenance.scanning.containers.zip_members import Archive, open_archive, open_member
from provenance.scanning.context import Context
from provenance.scanning.pickles.allowlist import Allowed
from provenance.scanning.pickles.machine import Machine
from provenance.scanning.pickles.report import Report
from provenance.scanning.pickles.source import ReaderSource
from provenance.scanning.pickles.torch_legacy import ITEM_BYTES
from provenance.scanning.pickles.values import Made, Storage
from provenance.scanning.readers import Reader

__all__ = ["flatten_torch_zip", "flatten_torchscript"]

_PICKLE = "data.pkl"
_ORDER_BYTES = 16


def flatten_torchscript(context: Context, reader: Reader) -> Flat:
    """Flatten the values of a program's module, whose attributes are named as in Python; the program is left behind.

    Raises Broken, and TooLarge.
    """
    flat = _flatten(context, reader, script_names(context.allowed))
    flat.left.append(("", "the program (TorchScript) that runs when the model is called"))
    return flat


def flatten_torch_zip(context: Context, reader: Reader) -> Flat:
    """Flatten the pickle; ``context`` gets the findings about records. Raises Broken, and TooLarge."""
    return _flatten(context, reader, context.allowed)


def _flatten(context: Context, reader: Reader, allowed: Allowed) -> Flat:
    archive = open_archive(reader, context)
    pickles = [one for one in archive.members if one.name.rpartition("/")[2] == _PICKLE] if archive else []
    if archive is None or len(pickles) != 1:
        raise Broken("CNV003", f"the archive has {len(pickles)} files {_PICKLE}, where torch has one")
    inner = open_member(archive, pickles[0], context)
    if inner is None:
        raise Broken("ARC008", f"{pickles[0].name!r} cannot be read")
    root = pickles[0].name.removesuffix(_PICKLE)
    machine = Machine(ReaderSource(inner), allowed, Report(), persistent=True)
    swapped = _byte_order(context, archive, root) != sys.byteorder
    flat = flatten_stream(machine, inner, _records(context, archive, root, swapped=swapped))
    flat.source_bytes = sum(member.size for member in archive.members)
    if machine.offset < inner.size:
        flat.left.append(("", f"{inner.size - machine.offset} bytes behind the pickle"))
    return flat


def _byte_order(context: Context, archive: Archive, root: str) -> str:
    """Say "little" or "big"; files without the record are read as they are written on all common machines."""
    for member in archive.members:
        if member.name == f"{root}byteorder":
            inner = open_member(archive, member, context)
            order = inner.read_at(0, _ORDER_BYTES) if inner is not None else b""
            if order not in (b"little", b"big"):
                raise Broken("CNV003", f"the byte order is {order.decode('latin-1')!r}")
            return order.decode("ascii")
    return "little"


def _records(context: Context, archive: Archive, root: str, *, swapped: bool) -> Lookup:
    """Storages by their keys: the records, opened once, with their checksums compared."""
    members = {member.name: member for member in archive.members}
    opened: dict[str, Stored] = {}

    def lookup(named: Storage | Made) -> tuple[Storage, Stored]:
        if not isinstance(named, Storage):
            raise Uncarried("a tensor over something else than a record")
        if named.key not in opened:
            opened[named.key] = Stored(_record(named), swapped)
        return named, opened[named.key]

    def _record(storage: Storage) -> Reader:
        name = f"{root}data/{storage.key}"
        inner = open_member(archive, members[name], context) if name in members else None
        if inner is None:
            raise Broken("ARC008", f"the record {name} of a storage is missing")
        if inner.size != storage.items * ITEM_BYTES.get(storage.kind, 1):
            raise Broken("PKL013", f"the storage {name} has {inner.size} bytes, the pickle says otherwise")
        return inner

    return lookup
