"""From a file to what it holds, by its format."""

from __future__ import annotations

from typing import NamedTuple

from policies.policy import FormatPolicy
from provenance.loading.converting.content import Uncarried
from provenance.loading.converting.flattening import LONE_NAME, Flat
from provenance.loading.converting.hdf5 import flatten_hdf5, flatten_keras
from provenance.loading.converting.numpy_values import array_of_header
from provenance.loading.converting.pickled import Broken, flatten_legacy, flatten_pickle
from provenance.loading.converting.torch_values import Carried
from provenance.loading.converting.torch_zip import flatten_torch_zip, flatten_torchscript
from provenance.scanning.arrays import array_header
from provenance.scanning.containers.packed import read_packed
from provenance.scanning.containers.zip_files import read_zip
from provenance.scanning.context import Context
from provenance.scanning.detect import HEAD_BYTES
from provenance.scanning.detecting.streams import decompressor
from provenance.scanning.pickles.reading import with_joblib
from provenance.scanning.pickles.sniffing import sniff
from provenance.scanning.readers import Reader

__all__ = ["FRAMEWORKS", "flatten_file"]

# What `__metadata__["format"]` is to say, by the format of the source.
FRAMEWORKS = {
    "torch": "pt",
    "torchscript": "pt",
    "pickle": "np",
    "joblib": "np",
    "numpy": "np",
    "keras": "tf",
    "hdf5": "tf",
}

_NESTED = 4
_NPY = b"\x93NUMPY"


class _Member(NamedTuple):
    name: str
    reader: Reader


def flatten_file(context: Context, reader: Reader, found: str) -> Flat:
    """Flatten a file of the format ``found``; findings about it go to ``context``.

    Raises Broken with a rule id, and TooLarge.
    """
    reader = _unpacked(context.policy, reader)
    flat = _flatten(context, reader, found)
    flat.source_bytes = max(flat.source_bytes, reader.size)
    return flat


def _flatten(context: Context, reader: Reader, found: str) -> Flat:
    head = reader.read_at(0, HEAD_BYTES)
    if head[:6] == _NPY:
        return _npy(reader)
    if found == "torch":
        return _torch(context, reader, head)
    if found == "torchscript":
        return flatten_torchscript(context, reader)
    if found in ("pickle", "joblib"):
        return flatten_pickle(reader, with_joblib(context.allowed) if b"joblib" in head else context.allowed)
    if found == "hdf5":
        return flatten_hdf5(reader)
    if found in ("numpy", "keras"):
        members = _members(context, reader)
        flat = _npz(members) if found == "numpy" else flatten_keras(members)
        flat.source_bytes = sum(member.reader.size for member in members)
        return flat
    raise Broken("CNV003", f"the content is `{found}`, of which no tensors are rebuilt")


def _torch(context: Context, reader: Reader, head: bytes) -> Flat:
    if head[:2] == b"PK":
        return flatten_torch_zip(context, reader)
    if head[:1] == b"\x80":
        return flatten_legacy(reader, context.allowed)
    raise Broken("CNV003", "the file is a tar of pickles, as torch wrote before 2017")


def _unpacked(policy: FormatPolicy, reader: Reader) -> Reader:
    """What a compressed file holds, within the bounds of the scanner."""
    for _ in range(_NESTED):
        head = reader.read_at(0, HEAD_BYTES)
        if head[:6] == _NPY or decompressor(head) is None or sniff(head, reader.size) != "no":
            break
        members: list[_Member] = []
        read_packed(_gathering(policy, members), reader, "")
        if not members:
            raise Broken("ARC008", "the file cannot be unpacked")
        reader = members[0].reader
    return reader


def _gathering(policy: FormatPolicy, members: list[_Member]) -> Context:
    """A context that gathers members in place of reading them."""

    def gather(_context: Context, reader: Reader, name: str) -> str:
        members.append(_Member(name, reader))
        return ""

    return Context(policy, gather)


def _npy(reader: Reader) -> Flat:
    flat = Flat()
    _add_npy(flat, LONE_NAME, reader)
    return flat


def _add_npy(flat: Flat, name: str, reader: Reader) -> None:
    """Add one array in numpy's format."""
    header = array_header(reader)
    if header is None:
        flat.left.append((name, "an array whose header is not in the form that numpy writes"))
        return
    try:
        array = array_of_header(reader, header.code, header.shape, header.start, fortran=header.fortran)
        flat.add(name, Carried({"": array}))
    except Uncarried as error:
        flat.left.append((name, str(error)))


def _members(context: Context, reader: Reader) -> list[_Member]:
    """The members of a zip, unpacked within the bounds."""
    members: list[_Member] = []
    read_zip(_gathering(context.policy, members), reader)
    return members


def _npz(members: list[_Member]) -> Flat:
    """Arrays by the names of the members, without their suffix."""
    flat = Flat()
    for member in members:
        name = member.name.removesuffix(".npy")
        if member.reader.read_at(0, 6) == _NPY:
            _add_npy(flat, name, member.reader)
        else:
            flat.left.append((name, "a member that is no array"))
    return flat
