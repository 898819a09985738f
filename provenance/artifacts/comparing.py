"""Comparing a signed manifest with what was measured on the disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from policies import Finding, finding
from provenance.artifacts.algorithms import CHUNK_SIZE
from provenance.artifacts.listing import FileEntry, Listing
from provenance.artifacts.manifest import Resource
from provenance.artifacts.measuring import MeasuredFile
from provenance.artifacts.opening import open_artifact_file
from provenance.artifacts.reading import SLICE_SIZE, digest_range

__all__ = ["Comparison", "compare", "different_chunks"]

# How many differing ranges of one file are worth naming.
MAX_RANGES = 8
# Says what lies in a range of a file, such as the tensors; "" where nothing is known.
Describe = Callable[[Listing, str, int, int], str]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """How the disk differs from a manifest: findings, and the files that the manifest does not list."""

    findings: tuple[Finding, ...]
    unsigned: tuple[str, ...]


def compare(
    resources: Sequence[Resource],
    files: Iterable[MeasuredFile],
    listing: Listing,
    *,
    notes: tuple[str, ...] = (),
    describe: Describe | None = None,
) -> Comparison:
    """Compare signed ``resources`` with the measured ``files`` by name, digest by digest.

    A file of zero bytes has no shard (OMS v1.0, section 6.3.2), so under shards an empty file that was added counts
    as unsigned. Chunk digests are compared where both sides have them. ``notes`` are put beside each difference.
    """
    signed: dict[str, list[Resource]] = {}
    for resource in resources:
        signed.setdefault(resource.name, []).append(resource)
    measured = {file.name: file for file in files}
    findings: list[Finding] = []
    for name, expected in signed.items():
        file = measured.get(name)
        if file is None:
            findings.extend(_absent(name, listing))
        else:
            findings.extend(_differences(expected, file, listing, notes, describe))
    return Comparison(findings=tuple(findings), unsigned=tuple(sorted(set(measured) - set(signed))))


def _absent(name: str, listing: Listing) -> Iterator[Finding]:
    # What could not be read or may not be there has a finding of its own already.
    if not any(entry.name == name for entry in listing.files):
        yield finding("SIG004", "the file was signed and is not there", path=name)


def _differences(
    expected: list[Resource],
    file: MeasuredFile,
    listing: Listing,
    notes: tuple[str, ...],
    describe: Describe | None,
) -> Iterator[Finding]:
    actual = {(resource.start, resource.end): resource for resource in file.resources}
    wanted = {(resource.start, resource.end): resource for resource in expected}
    for place, resource in wanted.items():
        found = actual.get(place)
        if found is None or found.digest != resource.digest:
            yield _changed(resource, found, file, listing, notes, describe)
        elif resource.chunks is not None and found.chunks is not None and resource.chunks != found.chunks:
            yield finding(
                "SIG014",
                "the bundle's chunk digests are not those of the file, though its digest is",
                path=file.name,
                notes=notes,
            )
    for start, end in sorted(set(actual) - set(wanted), key=str):
        yield finding(
            "SIG003", "bytes were added behind what was signed", path=file.name, where=_span(start, end)
        )


def _changed(
    resource: Resource,
    found: Resource | None,
    file: MeasuredFile,
    listing: Listing,
    notes: tuple[str, ...],
    describe: Describe | None,
) -> Finding:
    got = "nothing of that range" if found is None else found.digest.hex()
    return finding(
        "SIG003",
        "the file differs from the one that was signed",
        path=file.name,
        where=_where(resource, file, listing, describe),
        notes=(*notes, f"expected {resource.algorithm} {resource.digest.hex()}, found {got}"),
    )


def _where(resource: Resource, file: MeasuredFile, listing: Listing, describe: Describe | None) -> str:
    if resource.end is not None:
        ranges = [(resource.start, resource.end)]
    else:
        ranges = different_chunks(listing, FileEntry(file.name, file.size), resource.chunks)
    if not ranges:
        return ""
    shown = ", ".join(_span(start, end) for start, end in ranges[:MAX_RANGES])
    if len(ranges) > MAX_RANGES:
        shown += f" and {len(ranges) - MAX_RANGES} more ranges"
    inside = describe(listing, file.name, *ranges[0]) if describe is not None else ""
    return f"{shown} ({inside})" if inside else shown


def _span(start: int, end: int | None) -> str:
    return f"bytes {start}-{end}"


def different_chunks(
    listing: Listing, entry: FileEntry, chunks: tuple[bytes, ...] | None
) -> list[tuple[int, int]]:
    """Read a file again and return the ranges whose BLAKE3 digest is not the signed one; [] where nothing is known."""
    if chunks is None:
        return []
    buffer = memoryview(bytearray(SLICE_SIZE))
    different: list[tuple[int, int]] = []
    try:
        descriptor = open_artifact_file(listing.root, entry.name, allow_symlinks=listing.allow_symlinks)
        try:
            for index in range(max(len(chunks), -(-entry.size // CHUNK_SIZE))):
                start, end = index * CHUNK_SIZE, min((index + 1) * CHUNK_SIZE, entry.size)
                expected = chunks[index] if index < len(chunks) else b""
                if start >= end or digest_range(descriptor, start, end, "blake3", buffer) != expected:
                    different.append((start, max(start, end)))
        finally:
            os.close(descriptor)
    except OSError:
        return []
    return different
