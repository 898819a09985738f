"""Single tensors and slices, verified by the chunks that they touch and nothing else."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import Any

import msgspec

from policies import FileEvidence, Finding, Policy, finding
from provenance.artifacts.algorithms import CHUNK_SIZE
from provenance.artifacts.listing import Listing
from provenance.artifacts.manifest import Resource
from provenance.artifacts.opening import open_beneath, opened_root
from provenance.artifacts.reading import FileChanged
from provenance.errors import Refused, UsageError
from provenance.loading.arrays import Framework, tensor_from
from provenance.loading.proving import listing_of
from provenance.loading.reading import read_chunk
from provenance.scanning.detect import HEAD_BYTES, detect
from provenance.scanning.readers import FileReader
from provenance.scanning.safetensors import TensorInfo, header_length, parse_header
from provenance.scanning.scan import scan_member
from provenance.signing.candidates import expected_resources
from provenance.verification import Gathered, conclude, gather

__all__ = ["LazyTensors", "open_tensors"]

AnyPath = str | PathLike[str]


class _File:
    """An open safetensors file of which each chunk is proven when it is read."""

    def __init__(self, descriptor: int, size: int, resource: Resource) -> None:
        self.descriptor, self.size, self.name = descriptor, size, resource.name
        self.chunks = resource.chunks or ()
        if len(self.chunks) != -(-size // CHUNK_SIZE):
            raise self._refused(0, size)

    def _refused(self, start: int, end: int) -> Refused:
        where = f"bytes {start}-{end}"
        return Refused(f"{self.name}, {where}: the file differs from the one that was signed", code="SIG014")

    def read(self, start: int, end: int) -> tuple[bytearray, int]:
        """Read the chunks around ``start`` to ``end``; return them and where ``start`` lies in them."""
        first, last = start // CHUNK_SIZE, -(-end // CHUNK_SIZE)
        buffer = bytearray(min(last * CHUNK_SIZE, self.size) - first * CHUNK_SIZE)
        for index in range(first, last):
            offset, stop = index * CHUNK_SIZE, min((index + 1) * CHUNK_SIZE, self.size)
            into = memoryview(buffer)[offset - first * CHUNK_SIZE : stop - first * CHUNK_SIZE]
            try:
                proven = read_chunk(self.descriptor, offset, into) == self.chunks[index]
            except FileChanged:
                proven = False
            if not proven:
                raise self._refused(offset, stop)
        return buffer, start - first * CHUNK_SIZE


class LazyTensors:
    """The tensors of a signed artifact; each access reads and proves just the chunks that it needs."""

    def __init__(self, files: list[_File], framework: Framework) -> None:
        self._framework = framework
        self._tensors: dict[str, tuple[_File, TensorInfo]] = {}
        for file in files:
            self._add(file)

    def _add(self, file: _File) -> None:
        start, at = file.read(0, min(8, file.size))
        length = header_length(bytes(start[at : at + 8]), file.size)
        raw, at = file.read(0, 8 + length)
        for info in parse_header(bytes(raw[at : at + 8 + length]), file.size).tensors:
            if self._tensors.setdefault(info.name, (file, info))[0] is not file:
                raise UsageError(f"the tensor {info.name} is in several files", hint="name the file to open")

    def keys(self) -> list[str]:
        """Return the names of all tensors."""
        return list(self._tensors)

    def info(self, name: str) -> TensorInfo:
        """Return dtype, shape and place of a tensor; raises ``KeyError``."""
        return self._tensors[name][1]

    def tensor(self, name: str) -> Any:
        """Read one tensor; raises ``Refused`` where a chunk of it is not what was signed, ``KeyError``."""
        file, info = self._tensors[name]
        if info.start == info.end:
            return tensor_from(info, bytearray(), 0, self._framework)
        buffer, offset = file.read(info.start, info.end)
        return tensor_from(info, buffer, offset, self._framework)

    def slice(self, name: str, start: int, stop: int) -> Any:
        """Read the rows ``start`` to ``stop`` (exclusive) of a tensor along the first axis; raises as ``tensor``."""
        file, info = self._tensors[name]
        if not info.shape or not 0 <= start <= stop <= info.shape[0]:
            raise UsageError(
                f"the tensor {name} has no rows {start} to {stop}", hint=f"its shape is {info.shape}"
            )
        row = (info.end - info.start) // max(info.shape[0], 1)
        part = msgspec.structs.replace(
            info,
            shape=(stop - start, *info.shape[1:]),
            start=info.start + start * row,
            end=info.start + stop * row,
        )
        if part.start == part.end:
            return tensor_from(part, bytearray(), 0, self._framework)
        buffer, offset = file.read(part.start, part.end)
        return tensor_from(part, buffer, offset, self._framework)


@contextlib.contextmanager
def open_tensors(  # noqa: PLR0913 (the options of verify, and the framework)
    path: AnyPath,
    *,
    keys: AnyPath | Iterable[AnyPath] = (),
    certificate_chain: AnyPath | Iterable[AnyPath] = (),
    identity: str = "",
    issuer: str = "",
    trusted_root: AnyPath | None = None,
    policy: str | Path | Policy | None = None,
    signature: AnyPath | None = None,
    ignore: Iterable[str] = (),
    ignore_unsigned_files: bool = False,
    framework: Framework = "numpy",
    now: datetime | None = None,
) -> Iterator[LazyTensors]:
    """Verify the signatures of an artifact and open its safetensors files for reading piece by piece.

    Names and formats of all files are judged at once; content is proven only where it is read. Needs a bundle with
    chunk digests (``UsageError`` else). Raises ``Refused`` or ``Undecided`` as ``load`` does.
    """
    gathered = gather(
        path,
        keys=keys,
        certificate_chain=certificate_chain,
        identity=identity,
        issuer=issuer,
        trusted_root=trusted_root,
        policy=policy,
        signature=signature,
        ignore=ignore,
        ignore_unsigned_files=ignore_unsigned_files,
        now=now,
    )
    if not gathered.valid:
        conclude(gathered, compared={}).require_accepted()
    with contextlib.ExitStack() as stack:
        yield LazyTensors(_open_files(gathered, stack), framework)


def _open_files(gathered: Gathered, stack: contextlib.ExitStack) -> list[_File]:
    first = gathered.valid[0]
    assert first.signed is not None
    listing = listing_of(gathered, first)
    resources, findings = expected_resources(first.signed.manifest.resources, listing)
    signed = {each.name: each for each in resources}
    descriptors = _open_all(listing, stack)
    evidence = [_look(gathered, name, descriptor) for name, descriptor in descriptors.items()]
    missing = [
        finding("SIG004", "the file was signed and is not there", path=name)
        for name in signed.keys() - descriptors
    ]
    compared: dict[str, tuple[Finding, ...]] = {first.where: (*findings, *missing)}
    conclude(
        gathered, compared=compared, unsigned=descriptors.keys() - signed.keys(), files=evidence
    ).require_accepted()
    weights = [each.path for each in evidence if each.format == "safetensors" and each.path in signed]
    if any(signed[name].chunks is None for name in weights):
        raise UsageError("the bundle has no chunk digests, so no part can be proven alone", hint="use load()")
    return [_File(descriptors[name], os.fstat(descriptors[name]).st_size, signed[name]) for name in weights]


def _open_all(listing: Listing, stack: contextlib.ExitStack) -> dict[str, int]:
    descriptors: dict[str, int] = {}
    with opened_root(listing.root) as root:
        for entry in listing.files:
            with contextlib.suppress(OSError):
                descriptor = open_beneath(root, entry.name, allow_symlinks=listing.allow_symlinks)
                stack.callback(os.close, descriptor)
                descriptors[entry.name] = descriptor
    return descriptors


def _look(gathered: Gathered, name: str, descriptor: int) -> FileEvidence:
    """Judge a file's format; the header of a safetensors file is judged from proven bytes later on."""
    size = os.fstat(descriptor).st_size
    head = os.pread(descriptor, HEAD_BYTES, 0)
    if detect(head, size, b"", name) == "safetensors":
        return FileEvidence(path=name, format="safetensors", size=size)
    return scan_member(FileReader(descriptor, size), name, gathered.policy.formats)
