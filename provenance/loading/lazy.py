"""Single tensors and slices, verified by the chunks that they touch and nothing else."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from os import PathLike
from typing import Any, Unpack

import msgspec

from policies import FileEvidence, finding
from provenance.artifacts.algorithms import CHUNK_SIZE
from provenance.artifacts.listing import Listing
from provenance.artifacts.manifest import Resource
from provenance.artifacts.opening import open_beneath, opened_root
from provenance.artifacts.reading import FileChanged
from provenance.errors import ProvenanceError, Refused, Unreadable, UsageError
from provenance.loading.arrays import Framework, check_framework, tensor_from
from provenance.loading.reading import read_chunk, size_agrees
from provenance.loading.signed import (
    hand_out,
    provable_chunks,
    require_signature,
    same_content,
    signed_manifest,
)
from provenance.scanning.detect import HEAD_BYTES, detect
from provenance.scanning.readers import FileReader
from provenance.scanning.safetensors import TensorInfo, header_length, parse_header
from provenance.scanning.scan import scan_member
from provenance.signing.candidates import expected_resources
from provenance.verification import Gathered, Verification, VerifyOptions, conclude, gather, listing_for

__all__ = ["LazyTensors", "open_tensors"]

AnyPath = str | PathLike[str]


class _File:
    """An open safetensors file of which each chunk is proven when it is read."""

    def __init__(self, descriptor: int, size: int, resource: Resource, judged: Verification) -> None:
        self.descriptor, self.size, self.name, self.judged = descriptor, size, resource.name, judged
        self.chunks = resource.chunks or ()
        if not size_agrees(size, [resource]):
            raise self._refused("SIG003", f"the file has {size} bytes, which is not what was signed", "")

    def _refused(self, rule: str, message: str, where: str) -> Refused:
        """The verdict of the whole, with the finding that came when this part was read."""
        found = finding(rule, message, path=self.name, where=where)
        findings = (*self.judged.findings, found)
        judgement = msgspec.structs.replace(self.judged, decision="refused", findings=findings)
        place = f"{self.name}, {where}" if where else self.name
        return Refused(f"{place}: {message}", judgement=judgement, code=rule, hint=found.hint)

    def read(self, start: int, end: int, what: str) -> tuple[bytearray, int]:
        """Read the chunks around ``start`` to ``end``; return them and where ``start`` lies in them."""
        first, last = start // CHUNK_SIZE, -(-end // CHUNK_SIZE)
        buffer = bytearray(min(last * CHUNK_SIZE, self.size) - first * CHUNK_SIZE)
        for index in range(first, last):
            offset, stop = index * CHUNK_SIZE, min((index + 1) * CHUNK_SIZE, self.size)
            into = memoryview(buffer)[offset - first * CHUNK_SIZE : stop - first * CHUNK_SIZE]
            self._prove(index, into, f"bytes {offset}-{stop} ({what})")
        return buffer, start - first * CHUNK_SIZE

    def _prove(self, index: int, into: memoryview, where: str) -> None:
        try:
            digest = read_chunk(self.descriptor, index * CHUNK_SIZE, into)
        except FileChanged as error:
            raise self._refused("SIG003", str(error), where) from None
        except OSError as error:
            said = f"{self.name}, {where} cannot be read: {(error.strerror or str(error)).lower()}"
            raise Unreadable(said, code="ART008") from error
        if digest != self.chunks[index]:
            raise self._refused("SIG014", "the file differs from the one that was signed", where)


class LazyTensors:
    """The tensors of a signed artifact; each access reads and proves just the chunks that it needs."""

    def __init__(self, files: list[_File], framework: Framework) -> None:
        self._framework = framework
        self._tensors: dict[str, tuple[_File, TensorInfo]] = {}
        for file in files:
            self._add(file)

    def _add(self, file: _File) -> None:
        start, at = file.read(0, min(8, file.size), "header")
        length = header_length(bytes(start[at : at + 8]), file.size)
        raw, at = file.read(0, 8 + length, "header")
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
        buffer, offset = file.read(info.start, info.end, f"tensor {name}")
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
        buffer, offset = file.read(part.start, part.end, f"tensor {name}")
        return tensor_from(part, buffer, offset, self._framework)


@contextlib.contextmanager
def open_tensors(
    path: AnyPath,
    *,
    framework: Framework = "numpy",
    **options: Unpack[VerifyOptions],
) -> Iterator[LazyTensors]:
    """Verify the signatures of an artifact and open its safetensors files for reading piece by piece.

    Names and formats of all files are judged at once; content is proven only where it is read. Needs a bundle with
    chunk digests (``UsageError`` else). ``options`` are those of ``VerifyOptions``.
    Raises ``Refused`` or ``Undecided`` as ``load`` does.
    """
    check_framework(framework)
    gathered = gather(path, **options)
    require_signature(gathered)
    with contextlib.ExitStack() as stack:
        yield LazyTensors(_open_files(gathered, stack), framework)


def _open_files(gathered: Gathered, stack: contextlib.ExitStack) -> list[_File]:
    first = gathered.valid[0]
    listing = listing_for(gathered, signed_manifest(first).manifest.serialization)
    resources, findings = expected_resources(provable_chunks(gathered), listing)
    signed = {each.name: each for each in resources}
    evidence, descriptors = _look_at_all(gathered, listing, stack)
    present = {each.path for each in evidence}
    missing = [
        finding("SIG004", "the file was signed and is not there", path=name)
        for name in sorted(signed.keys() - present)
    ]
    judged = conclude(
        gathered,
        compared={first.where: (*findings, *missing), **same_content(gathered)},
        unsigned=present - signed.keys(),
        files=evidence,
    )
    hand_out(gathered, judged)
    weights = [name for name in descriptors if name in signed]
    if any(signed[name].chunks is None for name in weights):
        raise UsageError(
            "there are no chunk digests that all signers signed, so no part can be proven alone",
            hint="use load()",
        )
    return [
        _File(descriptors[name], os.fstat(descriptors[name]).st_size, signed[name], judged)
        for name in weights
    ]


def _look_at_all(
    gathered: Gathered, listing: Listing, stack: contextlib.ExitStack
) -> tuple[list[FileEvidence], dict[str, int]]:
    """Judge the formats of all files and keep those with tensors open."""
    evidence: list[FileEvidence] = []
    descriptors: dict[str, int] = {}
    if not listing.files:
        return evidence, descriptors
    with opened_root(listing.root) as root:
        for entry in listing.files:
            try:
                descriptor = open_beneath(root, entry.name, allow_symlinks=listing.allow_symlinks)
            except OSError as error:
                evidence.append(_unread(entry.name, error))
                continue
            evidence.append(_look(gathered, entry.name, descriptor))
            if evidence[-1].format == "safetensors":
                stack.callback(os.close, descriptor)
                descriptors[entry.name] = descriptor
            else:
                os.close(descriptor)
    return evidence, descriptors


def _look(gathered: Gathered, name: str, descriptor: int) -> FileEvidence:
    """Judge a file's format; the header of a safetensors file is judged from proven bytes later on."""
    try:
        size = os.fstat(descriptor).st_size
        head = os.pread(descriptor, HEAD_BYTES, 0)
        if detect(head, size, b"", name) == "safetensors":
            return FileEvidence(path=name, format="safetensors", size=size)
        return scan_member(FileReader(descriptor, size), name, gathered.policy.formats)
    except (OSError, ProvenanceError) as error:
        return _unread(name, error)


def _unread(name: str, error: Exception) -> FileEvidence:
    code = error.code if isinstance(error, ProvenanceError) and error.code else "ART008"
    unread = finding(code, f"cannot be read: {error}", path=name)
    return FileEvidence(path=name, format="unknown", size=0, findings=(unread,))
