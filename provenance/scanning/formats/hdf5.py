"""HDF5, and Keras's models in it: every object is visited by the file's own structures, and no data is decoded.

What is looked for: links, external storage and virtual data that lead to other files; configurations and pickles among
the attributes, which Keras and PyTables read as such; sizes that the file cannot hold. What the reader cannot follow
leaves the file undecided.
"""

from __future__ import annotations

from typing import Final

from provenance.scanning.context import Context
from provenance.scanning.formats.configs import read_config_text
from provenance.scanning.formats.hdf.attributes import read_attributes, texts
from provenance.scanning.formats.hdf.datasets import CHUNKED, CONTIGUOUS, VIRTUAL, Dataset, read_dataset
from provenance.scanning.formats.hdf.headers import Message, read_messages
from provenance.scanning.formats.hdf.heaps import GlobalHeaps
from provenance.scanning.formats.hdf.image import BrokenHdf5, Image, NotFollowed
from provenance.scanning.formats.hdf.links import Link, read_links
from provenance.scanning.formats.hdf.superblock import Superblock, find_superblock, read_superblock
from provenance.scanning.pickles.reading import read_streams
from provenance.scanning.pickles.report import Report
from provenance.scanning.pickles.sniffing import sniff
from provenance.scanning.pickles.source import ReaderSource
from provenance.scanning.readers import BytesReader, Reader

__all__ = ["read_hdf5"]

_MAX_OBJECTS: Final = 200_000
_MAX_RATIO: Final = 1100  # deflate packs no tighter
_FREE: Final = 64 << 20  # bytes that may be declared and never written
_EMPTY: Final = 64  # bytes that each dataset takes at least
# Built in; h5py's lzf; and those of the registry whose plugins are in common use.
_FILTERS: Final = frozenset((1, 2, 3, 4, 5, 6, 32000, 307, 32001, 32004, 32008, 32013, 32015, 32026))
_DRIVER, _CACHE_IMAGE = 0x14, 0x18
_SOFT, _EXTERNAL, _HARD = 1, 64, 0
_JSON: Final = (b"{", b"[")


class _Walk:
    """What is known while the objects of one file are visited."""

    def __init__(self, context: Context, image: Image) -> None:
        self.context = context
        self.image = image
        self.heaps = GlobalHeaps(image)
        self.declared = 0


def read_hdf5(context: Context, reader: Reader) -> None:
    """Visit all objects: FMT010, FMT012 and FMT014 for where they lead, FMT009 and FMT016 where that cannot be told."""
    try:
        superblock = read_superblock(reader, max(0, find_superblock(reader)))
        _check_superblock(context, superblock)
        walk = _Walk(context, superblock.image)
        _visit(walk, superblock.root)
        if walk.declared > _MAX_RATIO * reader.size + _FREE:
            context.add(
                "FMT009", f"its datasets take {walk.declared} bytes when read, the file {reader.size}"
            )
    except BrokenHdf5 as error:
        context.add("FMT009", str(error))
    except NotFollowed as error:
        context.add("FMT016", str(error))


def _check_superblock(context: Context, superblock: Superblock) -> None:
    """Other files, and metadata that stands in for that of the file."""
    if superblock.driver is not None:
        context.add("FMT010", "the file is one of several that its driver puts together")
    if superblock.extension is None:
        return
    for message in read_messages(superblock.image, superblock.extension):
        if message.kind == _DRIVER:
            context.add("FMT010", "the file is one of several that its driver puts together")
        elif message.kind == _CACHE_IMAGE:
            raise NotFollowed("an image of the library's cache stands in for the file's structures")


def _visit(walk: _Walk, root: int) -> None:
    """Each object once, however many links lead to it."""
    pending, seen = [(root, "/")], {root}
    while pending:
        address, path = pending.pop()
        messages = read_messages(walk.image, address)
        _read_object(walk, messages, path)
        for link in read_links(walk.image, messages):
            place = f"{path.rstrip('/')}/{link.name}"
            _check_link(walk.context, link, place)
            if link.kind == _HARD and link.address not in seen:
                seen.add(link.address)
                pending.append((link.address, place))
        if len(seen) > _MAX_OBJECTS:
            raise NotFollowed(f"the file has more than {_MAX_OBJECTS} objects")


def _check_link(context: Context, link: Link, place: str) -> None:
    if link.kind == _EXTERNAL:
        context.add("FMT010", f"a link leads to the file {link.target[:200]!r}", where=place)
    elif link.kind not in (_HARD, _SOFT):
        context.add("FMT010", f"a link of type {link.kind} is followed by a program of its own", where=place)


def _read_object(walk: _Walk, messages: list[Message], path: str) -> None:
    dataset = read_dataset(walk.image, walk.heaps, messages)
    if dataset is not None:
        _check_dataset(walk, dataset, path)
    for attribute in read_attributes(walk.image, messages):
        place = f"{path}, attribute {attribute.name}"
        for value in texts(walk.image, walk.heaps, attribute):
            _read_text(walk.context, value, place)
            if attribute.name == "PSEUDOATOM" and value.rstrip(b"\0") == b"object":
                walk.context.add("FMT007", "the rows are pickles to PyTables", where=path, severity="error")


def _check_dataset(walk: _Walk, dataset: Dataset, path: str) -> None:
    context, image = walk.context, walk.image
    for name in dataset.outside[:3]:
        what = "put together from" if dataset.layout == VIRTUAL else "kept in"
        context.add("FMT010", f"its data is {what} the file {name[:200]!r}", where=path)
    for number in set(dataset.filters) - _FILTERS:
        context.add("FMT016", f"its data is packed by the filter {number}, which is not known", where=path)
    if dataset.layout == VIRTUAL and not dataset.outside:
        context.add("FMT010", "its data is put together from other files", where=path)
    walk.declared += max(0, dataset.size - _EMPTY)
    if dataset.layout == CHUNKED or dataset.address is None or dataset.outside:
        return
    stored = dataset.size if dataset.stored < 0 else dataset.stored
    if stored < dataset.size:
        context.add("FMT009", f"it takes {dataset.size} bytes and {stored} are stored", where=path)
    if dataset.layout == CONTIGUOUS and dataset.address + stored > image.size:
        context.add("FMT009", "its data ends outside of the file", where=path)


def _read_text(context: Context, value: bytes, place: str) -> None:
    """A configuration in JSON, or a pickle."""
    if value[:1] in _JSON or value.lstrip()[:1] in _JSON:
        read_config_text(context, value.rstrip(b"\0 "), place, keras=True)
    elif (
        len(value) > 2 and value.rstrip(b"\0")[-1:] == b"." and sniff(value, len(value)) not in ("no", "odd")
    ):
        report = Report()
        read_streams(ReaderSource(BytesReader(value.rstrip(b"\0"))), context.allowed, report, where=place)
        context.findings += [context.located(found) for found in report.findings]
