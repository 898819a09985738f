"""Proving an artifact while it is read: what a load hands out is read once, into memory, and judged from there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from policies import FileEvidence, Finding, finding
from provenance.artifacts.comparing import compare
from provenance.artifacts.listing import FileEntry, Listing
from provenance.artifacts.manifest import Resource
from provenance.artifacts.measuring import measure
from provenance.artifacts.opening import open_beneath, opened_root
from provenance.loading.arrays import Buffer
from provenance.loading.reading import read_proven, size_agrees
from provenance.loading.signed import (
    provable_chunks,
    require_signature,
    same_content,
    signed_manifest,
)
from provenance.scanning.detect import HEAD_BYTES, detect
from provenance.scanning.locating import describe_bytes
from provenance.scanning.readers import MemoryReader, Reader
from provenance.scanning.scan import examine
from provenance.signing.candidates import expected_resources
from provenance.verification import Gathered, Verification, conclude, format_observer, listing_for, signed_by

__all__ = ["Keep", "ProvenFile", "Room", "prove"]


class Room(NamedTuple):
    """Memory of a file's size that it is to be read into; ``filled`` where it holds, unchangeably, what was read."""

    buffer: Buffer
    filled: bool = False


# Makes the room for a file that is to be kept (of this format, open at this descriptor), or None for one that is only
# to be proven. Raises ``OSError`` or ``MemoryError`` where there is none.
Keep = Callable[[FileEntry, str, int], Room | None]


class ProvenFile(NamedTuple):
    """A file whose bytes lie in ``buffer`` and are those that were signed; ``buffer`` is empty for a filled room."""

    entry: FileEntry
    buffer: Buffer
    format: str


class _Kept(NamedTuple):
    file: ProvenFile
    evidence: FileEvidence
    findings: list[Finding]


def prove(gathered: Gathered, keep: Keep, *, only: str = "") -> tuple[Verification, tuple[ProvenFile, ...]]:
    """Read every file of an artifact once, keep those that ``keep`` has memory for, and judge the whole.

    The kept bytes may be used only where the verification's decision is "accepted". ``only`` names the one file that
    the listing was cut down to, where the others of the artifact are not asked for. Raises as ``require_signature``.
    """
    require_signature(gathered)
    first = gathered.valid[0]
    serialization = signed_manifest(first).manifest.serialization
    listing = listing_for(gathered, serialization)
    resources, renamed = expected_resources(provable_chunks(gathered), listing)
    if only:
        resources = tuple(each for each in resources if each.name == only)
    notes = signed_by(first)
    kept = list(_read_kept(gathered, listing, resources, keep))
    done = {each.file.entry.name for each in kept}
    rest = msgspec.structs.replace(
        listing, files=tuple(each for each in listing.files if each.name not in done)
    )
    measured = measure(rest, serialization, observe=format_observer(gathered.policy))
    others = compare(
        [each for each in resources if each.name not in done], measured.files, listing, notes=notes
    )
    about_kept = [_noted(found, notes) for each in kept for found in each.findings]
    compared = {first.where: (*renamed, *about_kept, *others.findings)}
    compared |= same_content(gathered)
    observed = [file.observed for file in measured.files if isinstance(file.observed, FileEvidence)]
    verdict = conclude(
        gathered,
        compared=compared,
        unsigned=(
            *others.unsigned,
            *(name for name in done if name not in {each.name for each in resources}),
        ),
        files=[*(each.evidence for each in kept), *observed],
        findings=measured.findings,
        checked_bytes=listing.total_bytes,
    )
    return verdict, tuple(each.file for each in kept)


def _read_kept(
    gathered: Gathered, listing: Listing, resources: tuple[Resource, ...], keep: Keep
) -> Iterator[_Kept]:
    by_name: dict[str, list[Resource]] = {}
    for resource in resources:
        by_name.setdefault(resource.name, []).append(resource)
    if not listing.files:
        return
    with opened_root(listing.root) as root:
        for entry in listing.files:
            signed = sorted(by_name.get(entry.name, []), key=lambda each: each.start)
            if not signed:
                continue  # an unsigned file is reported, never kept
            kept = _read_one(gathered, root, listing, entry, signed, keep)
            if kept is not None:
                yield kept


def _read_one(
    gathered: Gathered, root: int, listing: Listing, entry: FileEntry, signed: list[Resource], keep: Keep
) -> _Kept | None:
    try:
        descriptor = open_beneath(root, entry.name, allow_symlinks=listing.allow_symlinks)
    except OSError:
        return None  # measuring it says why
    try:
        size = os.fstat(descriptor).st_size
        head = os.pread(descriptor, HEAD_BYTES, 0)
        tail = os.pread(descriptor, HEAD_BYTES, max(0, size - HEAD_BYTES))
        entry = FileEntry(entry.name, size)
        found = detect(head, size, tail, entry.name)
        if not size_agrees(size, signed):
            return _another_size(entry, found)
        room = keep(entry, found, descriptor)
        if room is None:
            return None
        view = memoryview(room.buffer)
        reader = MemoryReader(view)
        source = None if room.filled else descriptor
        findings = [_named(each, reader) for each in read_proven(source, size, view, signed)]
    except (OSError, MemoryError, OverflowError) as error:
        unread = finding("ART008", f"cannot be read: {error}", path=entry.name)
        evidence = FileEvidence(path=entry.name, format="unknown", size=entry.size, findings=(unread,))
        return _Kept(ProvenFile(entry, bytearray(), "unknown"), evidence, [unread])
    finally:
        os.close(descriptor)
    evidence = examine(reader, entry.name, gathered.policy.formats)
    buffer = bytearray() if room.filled else room.buffer
    return _Kept(ProvenFile(entry, buffer, evidence.format), evidence, findings)


def _noted(found: Finding, notes: tuple[str, ...]) -> Finding:
    return msgspec.structs.replace(found, notes=(*notes, *found.notes))


def _another_size(entry: FileEntry, found: str) -> _Kept:
    """Nobody is to make us find memory, or read, for what cannot be the file."""
    differs = finding(
        "SIG003", f"the file has {entry.size} bytes, which is not what was signed", path=entry.name
    )
    evidence = FileEvidence(path=entry.name, format=found, size=entry.size)
    return _Kept(ProvenFile(entry, bytearray(), found), evidence, [differs])


def _named(found: Finding, reader: Reader) -> Finding:
    """Name what lies in the range that differs, as far as the header of the very same bytes can be believed."""
    if not found.where.startswith("bytes "):
        return found
    start, _, end = found.where.removeprefix("bytes ").partition("-")
    inside = describe_bytes(reader, int(start), int(end))
    return msgspec.structs.replace(found, where=f"{found.where} ({inside})") if inside else found
