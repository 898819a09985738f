"""Datasets of HDF5 files, and Keras's archives around them, by the structures that scanning reads.

Data that lies in one piece is carried, as Keras writes its weights. Texts among the attributes are kept as plain values
under ``path@attribute``. Format: HDF5 File Format Specification 3.0 (IV.A.2.b, d, i).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from provenance.loading.converting.content import Array, Uncarried, array_over
from provenance.loading.converting.flattening import Flat, TooLarge
from provenance.loading.converting.numpy_values import dtype_of_code
from provenance.loading.converting.pickled import Broken
from provenance.loading.converting.torch_values import Carried
from provenance.scanning.formats.hdf.attributes import Attribute, read_attributes, texts
from provenance.scanning.formats.hdf.datasets import COMPACT, CONTIGUOUS, Dataset, read_dataset
from provenance.scanning.formats.hdf.headers import Message, read_messages, shared_body
from provenance.scanning.formats.hdf.heaps import GlobalHeaps
from provenance.scanning.formats.hdf.image import BrokenHdf5, Fields, Image, NotFollowed
from provenance.scanning.formats.hdf.links import Link, read_links
from provenance.scanning.formats.hdf.superblock import find_superblock, read_superblock
from provenance.scanning.readers import BytesReader, Reader, SliceReader

__all__ = ["KERAS_WEIGHTS", "flatten_hdf5", "flatten_keras"]

KERAS_WEIGHTS: Final = "model.weights.h5"

_SPACE, _TYPE, _LAYOUT = 0x01, 0x03, 0x08
_SHARED: Final = 0x02
_HARD: Final = 0
_INTEGER, _FLOAT, _OPAQUE, _ENUM = 0, 1, 5, 8
# Bit offset, precision, then where exponent and mantissa lie and how long they are, and the bias: IEEE 754's.
_IEEE: Final[Mapping[bytes, str]] = {
    bytes((0, 0, 16, 0, 10, 5, 0, 10, 15, 0, 0, 0)): "f2",
    bytes((0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0)): "f4",
    bytes((0, 0, 64, 0, 52, 11, 0, 52, 0xFF, 3, 0, 0)): "f8",
}
_MAX_OBJECTS: Final = 200_000
_MAX_CONFIG: Final = 64 << 20


class _Place(NamedTuple):
    address: int
    name: str
    above: frozenset[int]  # the groups on the way


class _File:
    """One file while its objects are visited."""

    def __init__(self, image: Image, flat: Flat) -> None:
        self.image = image
        self.heaps = GlobalHeaps(image)
        self.flat = flat


def flatten_hdf5(reader: Reader) -> Flat:
    """Flatten all datasets by their paths. Raises Broken, and TooLarge."""
    flat = Flat()
    try:
        superblock = read_superblock(reader, max(0, find_superblock(reader)))
        _visit_all(_File(superblock.image, flat), superblock.root)
    except BrokenHdf5 as error:
        raise Broken("FMT009", str(error)) from error
    except NotFollowed as error:
        raise Broken("FMT016", str(error)) from error
    return flat


def flatten_keras(members: Sequence[tuple[str, Reader]]) -> Flat:
    """Flatten the weights of a `.keras` archive; its configuration is kept as text. Raises Broken, and TooLarge."""
    flat = next((flatten_hdf5(reader) for name, reader in members if name == KERAS_WEIGHTS), Flat())
    for name, reader in members:
        if name.endswith(".json") and reader.size <= _MAX_CONFIG:
            flat.keep(name, reader.read_at(0, reader.size).decode("utf-8", "replace"))
        elif name != KERAS_WEIGHTS:
            flat.left.append((name, "a member that holds no weights"))
    return flat


def _visit_all(file: _File, root: int) -> None:
    """Visit every way to every object; a group that lies in itself is followed once."""
    pending = [_Place(root, "", frozenset())]
    for count in range(_MAX_OBJECTS + 1):
        if not pending:
            return
        if count == _MAX_OBJECTS or len(pending) > _MAX_OBJECTS:
            raise TooLarge
        place = pending.pop()
        messages = read_messages(file.image, place.address)
        _visit(file, place.name, messages)
        above = place.above | {place.address}
        for link in read_links(file.image, messages):
            name = f"{place.name}.{link.name}" if place.above else link.name
            if link.kind != _HARD or link.address in above:
                file.flat.left.append((name, _described(link)))
            else:
                pending.append(_Place(link.address, name, above))


def _described(link: Link) -> str:
    return "a group within itself" if link.kind == _HARD else f"a link to {link.target[:200]}"


def _visit(file: _File, name: str, messages: list[Message]) -> None:
    """One object: its data where it is a dataset, and its attributes."""
    attributes = list(read_attributes(file.image, messages))
    dataset = read_dataset(file.image, file.heaps, messages)
    try:
        if dataset is not None:
            file.flat.add(name, Carried({"": _array(file, messages, dataset, attributes)}))
    except Uncarried as error:
        file.flat.left.append((name, str(error)))
    for attribute in attributes:
        _keep_attribute(file, f"{name}@{attribute.name}", attribute)


def _array(file: _File, messages: list[Message], dataset: Dataset, attributes: list[Attribute]) -> Array:
    """The data of a dataset, where it lies in one piece. Raises Uncarried."""
    image = file.image
    said = next((_texts(file, one) for one in attributes if one.name == "dtype"), [])
    shape = _shape(Fields(_body(image, messages, _SPACE), image))
    name, swap = _dtype(_body(image, messages, _TYPE), said)
    return array_over(_content(image, messages, dataset), name, shape, swap=swap)


def _body(image: Image, messages: Iterable[Message], kind: int) -> bytes:
    message = next(message for message in messages if message.kind == kind)
    return shared_body(image, message.data, kind) if message.flags & _SHARED else message.data


def _content(image: Image, messages: list[Message], dataset: Dataset) -> Reader:
    if dataset.outside or dataset.filters:
        raise Uncarried("data that is packed, or lies in another file")
    if not dataset.size:
        return BytesReader(b"")
    if dataset.layout == CONTIGUOUS and dataset.address is not None:
        return SliceReader(image.reader, image.base + dataset.address, dataset.size)
    layout = _body(image, messages, _LAYOUT)
    if dataset.layout == COMPACT and layout[:1] in (b"\3", b"\4"):
        return BytesReader(layout[4 : 4 + dataset.stored])
    raise Uncarried("data that was never written, or lies in chunks")


def _shape(fields: Fields) -> tuple[int, ...]:
    version, rank, _, kind = (fields.number(1) for _ in range(4))
    fields.take(4 if version == 1 else 0)
    if version != 1 and kind > 1:
        raise Uncarried("a dataset without a shape")
    return tuple(fields.length() for _ in range(rank))


def _dtype(body: bytes, said: list[str]) -> tuple[str, int]:
    """The safetensors name of a type of numbers, and the width to swap. Raises Uncarried.

    Keras writes bfloat16 as two opaque bytes, and says so beside.
    """
    kind, bits, size = body[0] & 15, int.from_bytes(body[1:4], "little"), int.from_bytes(body[4:8], "little")
    order = ">" if bits & 1 else "<"
    if kind == _INTEGER and body[8:12] == bytes((0, 0, 8 * size & 0xFF, 8 * size >> 8 & 0xFF)):
        return dtype_of_code(f"{order}{'i' if bits & 8 else 'u'}{size}")
    plain_sign = bits & 0x40 == 0 and bits >> 4 & 3 == 2 and bits >> 8 & 0xFF == 8 * size - 1
    if kind == _FLOAT and plain_sign and body[8:20] in _IEEE:
        return dtype_of_code(order + _IEEE[body[8:20]])
    if kind == _OPAQUE and size == 2 and said == ["bfloat16"]:
        return "BF16", 0
    if kind == _ENUM and size == 1 and _is_truth(body, bits & 0xFFFF):
        return "BOOL", 0
    raise Uncarried("data whose type is none of safetensors'")


def _is_truth(body: bytes, members: int) -> bool:
    """h5py writes truth values as an enumeration of two integers of eight bits: FALSE is 0 and TRUE 1."""
    names = body[20:].rstrip(b"\0")
    return members == 2 and body[8] & 15 == _INTEGER and names[:6] == b"FALSE\0" and names[-1:] == b"\1"


def _keep_attribute(file: _File, name: str, attribute: Attribute) -> None:
    """Texts are plain values; of numbers only that there are none."""
    found = _texts(file, attribute)
    if len(found) == attribute.items:
        file.flat.keep(name, found[0] if len(found) == 1 else found)
    else:
        file.flat.left.append((name, "an attribute that is no text"))


def _texts(file: _File, attribute: Attribute) -> list[str]:
    return [
        text.rstrip(b"\0").decode("utf-8", "replace") for text in texts(file.image, file.heaps, attribute)
    ]
