"""A base model that is a directory: tensors in several safetensors files, known by the digest over all its files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from policies import Finding
from provenance.aggregation.rounds.examining import Examined, Offsets, read_values
from provenance.aggregation.rounds.layout import Layout, Piece, layout_of, pieces
from provenance.aggregation.rounds.sealing import Tag, new_tag
from provenance.aggregation.rounds.stream import OpenUpdate
from provenance.aggregation.rounds.values import widened
from provenance.artifacts.listing import list_artifact
from provenance.artifacts.manifest import Resource, Serialization, root_digest
from provenance.artifacts.measuring import measure
from provenance.artifacts.opening import open_beneath, opened_root
from provenance.attestations.strict_json import convert, decode
from provenance.errors import Malformed
from provenance.scanning.safetensors import MAX_HEADER_BYTES, Header, header_length, parse_header

__all__ = ["ShardedModel", "open_sharded"]

_TENSORS: Final = ".safetensors"
_INDEX: Final = ".safetensors.index.json"
MAX_INDEX_BYTES: Final = 16 << 20


class _Shard(NamedTuple):
    """An open file of tensors: the bytes of its header as they were read, and what they say."""

    name: str
    descriptor: int
    size: int
    head: bytes
    header: Header


class ShardedModel(OpenUpdate):
    """A model in several open files, of which pieces are read and proven like those of one."""

    def __init__(self, name: str, path: Path, examined: Examined, shards: Sequence[_Shard]) -> None:
        super().__init__(name, shards[0].descriptor, examined, path)
        self._places = _places(examined.layout, shards)
        self._sizes = sum(shard.size for shard in shards)

    @property
    def size(self) -> int:
        """The bytes of all files with tensors."""
        return self._sizes

    def piece(
        self, number: int, piece: Piece, into: np.ndarray[tuple[int], Any] | None = None
    ) -> np.ndarray[tuple[int], Any]:
        """Read the piece of this number and prove it; see ``OpenUpdate.piece``."""
        descriptors, offsets = self._places
        dtype = offsets.dtypes[piece.span]
        values = np.empty(piece.length, dtype) if into is None or into.dtype != dtype else into
        try:
            read_values(descriptors[piece.span], offsets, piece.span, piece.offset, values)
        except OSError as error:
            raise self._changed() from error
        tag = self.examined.tag
        if tag is None or tag(number, values.view(np.uint8).data) != self.examined.tags[number]:
            raise self._changed()
        return values


@contextmanager
def open_sharded(name: str, path: Path) -> Iterator[ShardedModel]:
    """Open a directory and read all of its files once; the tensors are those of the index, or of all files at its top.

    Raises ``Malformed`` where the files are no sound model, and ``OSError``.
    """
    listing = list_artifact(path)
    _require(listing.findings)
    with ExitStack() as stack:
        opened = {}
        with opened_root(path) as root:
            for entry in listing.files:
                if entry.name.endswith((_TENSORS, _INDEX)) and "/" not in entry.name:
                    opened[entry.name] = open_beneath(root, entry.name)
                    stack.callback(os.close, opened[entry.name])
        indexes = {each: _read_whole(opened[each]) for each in opened if each.endswith(_INDEX)}
        mapping = _weight_map(indexes)
        names = sorted(set(mapping.values())) if mapping is not None else sorted(opened)
        if not names or any(each not in opened or each in indexes for each in names):
            raise Malformed("the files that should hold its tensors are not in it", code="FMT003")
        shards = [_shard(each, opened[each]) for each in names]
        examined, digests = _examined(shards, mapping)
        digests |= {each: hashlib.sha256(text).digest() for each, text in indexes.items()}
        rest = tuple(entry for entry in listing.files if entry.name not in digests)
        others = measure(msgspec.structs.replace(listing, files=rest), Serialization())
        _require(others.findings)
        resources = [
            *others.resources,
            *(Resource(name=each, algorithm="sha256", digest=digest) for each, digest in digests.items()),
        ]
        whole = root_digest(sorted(resources, key=lambda each: each.identifier))
        yield ShardedModel(name, path, msgspec.structs.replace(examined, digest=whole), shards)


def _require(findings: Iterable[Finding]) -> None:
    for problem in findings:
        if problem.severity == "error":
            raise Malformed(f"{problem.path}: {problem.message}", code=problem.rule)


def _read_whole(descriptor: int) -> bytes:
    size = os.fstat(descriptor).st_size
    if size > MAX_INDEX_BYTES:
        raise Malformed(f"its index has {size:,} bytes, more than {MAX_INDEX_BYTES:,}", code="FMT003")
    return os.pread(descriptor, size + 1, 0)


def _weight_map(indexes: Mapping[str, bytes]) -> dict[str, str] | None:
    """Read which file each tensor is in, where an index says it."""
    if len(indexes) > 1:
        raise Malformed("it has several indexes of its tensors", code="FMT003")
    for text in indexes.values():
        tree = decode(text, dict[str, Any], what="its index", max_bytes=MAX_INDEX_BYTES)
        return convert(tree.get("weight_map"), dict[str, str], what="its weight_map")
    return None


def _shard(name: str, descriptor: int) -> _Shard:
    size = os.fstat(descriptor).st_size
    length = header_length(os.pread(descriptor, 8, 0), size)
    head = os.pread(descriptor, 8 + min(length, MAX_HEADER_BYTES), 0)
    return _Shard(name, descriptor, size, head, parse_header(head, size))


def _places(layout: Layout, shards: Sequence[_Shard]) -> tuple[list[int], Offsets]:
    """Say in which open file each tensor of the whole layout is, and where it begins there."""
    held = {tensor.name: (shard, tensor) for shard in shards for tensor in shard.header.tensors}
    places = [held[span.name] for span in layout.spans]
    dtypes = tuple(widened(span.dtype, span.name).stored for span in layout.spans)
    starts = tuple(tensor.start for _, tensor in places)
    return [shard.descriptor for shard, _ in places], Offsets(starts, dtypes)


def _examined(
    shards: Sequence[_Shard], mapping: Mapping[str, str] | None
) -> tuple[Examined, dict[str, bytes]]:
    """Read all files of tensors once, and give what a later read is held to, and the SHA-256 of each file."""
    held = [(tensor, shard.name) for shard in shards for tensor in shard.header.tensors]
    names = {tensor.name: name for tensor, name in held}
    if len(names) < len(held):
        raise Malformed("a tensor is in several of its files", code="FMT003")
    if mapping is not None and names != mapping:
        raise Malformed("its index says other tensors than its files hold", code="FMT003")
    layout = layout_of(Header(tuple(tensor for tensor, _ in held), {}, 0))
    descriptors, offsets = _places(layout, shards)
    cuts = tuple(enumerate(pieces(layout)))
    tag = new_tag()
    tags: dict[int, bytes] = {}
    digests = {}
    for shard in shards:
        ours = [each for each in cuts if descriptors[each[1].span] == shard.descriptor]
        digests[shard.name] = _read_shard(shard, ours, offsets, tag, tags)
    examined = Examined(
        sha256=b"",
        digest=b"",
        layout=layout,
        tag=tag,
        tags=tuple(tags[number] for number in range(len(cuts))),
        finite=True,
        square=0.0,
    )
    return examined, digests


def _read_shard(
    shard: _Shard, cuts: Sequence[tuple[int, Piece]], offsets: Offsets, tag: Tag, tags: dict[int, bytes]
) -> bytes:
    """Hash a file from its first byte to its last, and tag its pieces, which tile all behind its header."""
    whole = hashlib.sha256(memoryview(shard.head)[: shard.header.data_start])
    position = shard.header.data_start
    for number, piece in sorted(cuts, key=lambda each: (offsets.first[each[1].span], each[1].offset)):
        values = np.empty(piece.length, offsets.dtypes[piece.span])
        data = read_values(shard.descriptor, offsets, piece.span, piece.offset, values).view(np.uint8).data
        whole.update(data)
        tags[number] = tag(number, data)
        position += len(data)
    if position != shard.size or os.pread(shard.descriptor, 1, shard.size):
        raise Malformed(f"{shard.name} changed its length while it was read", code="AGG011")
    return whole.digest()
