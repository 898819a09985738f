"""What ``torch.save`` writes: a zip with a pickle, ``data.pkl``, and a record for each storage, ``data/<key>``.

Format: ``torch/serialization.py`` (_save, _load) and ``caffe2/serialize/inline_container.cc``.
"""

from __future__ import annotations

from provenance.scanning.containers.zip_directory import Member
from provenance.scanning.containers.zip_files import read_members
from provenance.scanning.containers.zip_members import Archive, open_archive, open_member
from provenance.scanning.context import Context
from provenance.scanning.pickles.reading import read_streams
from provenance.scanning.pickles.source import ReaderSource
from provenance.scanning.pickles.torch_legacy import ITEM_BYTES
from provenance.scanning.pickles.values import Storage
from provenance.scanning.readers import Reader

__all__ = ["read_torch_zip"]

# Records that torch reads as plain values, each with the bytes it may have at most.
_PLAIN = {
    "version": 16,
    "byteorder": 6,
    ".format_version": 16,
    ".storage_alignment": 16,
    ".data/serialization_id": 64,
}


def read_torch_zip(context: Context, reader: Reader) -> None:
    """Read the pickle with torch's persistent ids, compare the storages with their records, and read what is left."""
    archive = open_archive(reader, context)
    if archive is None:
        return
    pickles = [member for member in archive.members if _base(member.name).casefold() == "data.pkl"]
    left = set()
    for member in pickles:
        inner = open_member(archive, member, context)
        if inner is not None:
            root = member.name[: -len("data.pkl")]
            left |= {member.name} | _read_pickle(context, archive, inner, root)
    read_members(context, archive, leave=frozenset(left))


def _base(name: str) -> str:
    return name.rpartition("/")[2]


def _read_pickle(context: Context, archive: Archive, inner: Reader, root: str) -> set[str]:
    """Read one ``data.pkl``; returns the records that belong to it."""
    report = context.report
    report.storages = {}
    where = ", ".join(part for part in (context.where, f"{root}data.pkl") if part)
    read_streams(ReaderSource(inner), context.allowed, report, where=where, persistent=True)
    context.take_report()
    sizes = {member.name: member for member in archive.members}
    owned = set()
    for key, storage in report.storages.items():
        name = f"{root}data/{key}"
        owned.add(name)
        _check_storage(context, name, sizes.get(name), storage)
    for name, member in sizes.items():
        suffix = name[len(root) :]
        if not name.startswith(root):
            continue
        # Records that no tensor uses are never read by torch as anything but bytes.
        if (suffix.startswith("data/") and suffix[5:].isdigit()) or member.size <= _PLAIN.get(suffix, -1):
            owned.add(name)
    return owned


def _check_storage(context: Context, name: str, member: Member | None, storage: Storage) -> None:
    """PKL013 where the record is missing or has not the size that the pickle says."""
    if member is None:
        context.add("ARC008", "the record of a storage is missing", where=name)
        return
    expected = storage.items * ITEM_BYTES.get(storage.kind, 1)
    if member.size != expected:
        context.add("PKL013", f"the storage has {member.size} bytes, the pickle says {expected}", where=name)
    if member.method != 0:
        open_member_size = member.packed
        if member.size > 1100 * max(1, open_member_size):
            context.add("ARC007", "the record is packed more tightly than can be", where=name)
