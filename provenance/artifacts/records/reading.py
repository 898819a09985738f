"""Reading an artifact once, for the leaves of its records and for the digests of its files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from policies import outcome
from provenance.artifacts.listing import FileEntry, Listing, list_artifact
from provenance.artifacts.manifest import Resource
from provenance.artifacts.merkle import LEAF_PREFIX, Folded, fold, leaf_hash
from provenance.artifacts.opening import open_beneath, opened_root
from provenance.artifacts.reading import Progress
from provenance.artifacts.records.cutting import CutFormat, cut, holds_records
from provenance.artifacts.records.source import RecordSource, unclear
from provenance.errors import Malformed, Refused, Undecided

__all__ = ["SALT_SIZE", "RecordsRead", "Salts", "read_records"]

SALT_SIZE: Final = 16

# Returns 16 bytes for each of so many records, in their order.
Salts = Callable[[int], bytes]
# Called with joined leaves, in their order.
Keep = Callable[[bytes], object]
# Called with the index of the first record of a batch and the batch; for records that are to be seen.
Watch = Callable[[int, list[bytes]], object]


class RecordsRead(msgspec.Struct, frozen=True, kw_only=True):
    """What one read yields: the Merkle root over the records, their number, and the digests of the files.

    ``header`` and ``schema_digest`` are those that all files share. ``resources`` are sorted as in a manifest.
    """

    root: bytes
    count: int
    resources: tuple[Resource, ...]
    single: bool
    header: str | None = None
    schema_digest: str | None = None


class _Options(NamedTuple):
    record_format: CutFormat | None
    salts: Salts | None
    watch: Watch | None
    most: int | None
    progress: Progress | None


class _State:
    """What is found while the leaves are drawn from the files one after another."""

    def __init__(self) -> None:
        self.resources: list[Resource] = []
        self.shared: tuple[str | None, str | None] | None = None
        self.count = 0


def read_records(
    path: Path,
    record_format: CutFormat | None,
    *,
    salts: Salts | None = None,
    keep: Keep | None = None,
    watch: Watch | None = None,
    most: int | None = None,
    progress: Progress | None = None,
) -> RecordsRead:
    """Read a file or a directory and fold the leaves of its records, in memory that does not grow with the file.

    Without a format (``file/1``) each file is a record: the raw SHA-256 of its bytes. In a directory the files whose
    names say so hold the records, in the order of their names; all files are digested. No more than ``most`` records
    are read, for a small file may unfold to any number. Raises ``Malformed`` for what cannot be cut (CON016) and for
    more records (CON015), ``Refused`` or ``Undecided`` (ART…) for files that cannot be signed or read.
    """
    listing = list_artifact(path)
    _require(listing, path)
    state = _State()
    options = _Options(record_format, salts, watch, most, progress)
    with opened_root(listing.root) as root:
        folded = _fold(_leaves(root, listing, options, state), keep)
    header, schema = state.shared or (None, None)
    if record_format is not None and state.shared is None:
        raise unclear(f"no file in {path} holds records of the format {record_format}")
    return RecordsRead(
        root=folded.root,
        count=folded.count,
        resources=tuple(sorted(state.resources, key=lambda resource: resource.identifier)),
        single=listing.single,
        header=header,
        schema_digest=schema,
    )


def _fold(leaves: Iterator[bytes], keep: Keep | None) -> Folded:
    if keep is None:
        return fold(leaves)

    def kept() -> Iterator[bytes]:
        for block in leaves:
            keep(block)
            yield block

    return fold(kept())


def _require(listing: Listing, path: Path) -> None:
    first = next((found for found in listing.findings if found.severity == "error"), None)
    if first is not None:
        kind = Refused if outcome([first]) == "refused" else Undecided
        place = "" if first.path in {"", str(path)} else f"{first.path}: "
        raise kind(f"cannot read {path}: {place}{first.message}", code=first.rule, hint=first.hint)


def _leaves(root: int, listing: Listing, options: _Options, state: _State) -> Iterator[bytes]:
    for entry in listing.files:
        try:
            descriptor = open_beneath(root, entry.name)
        except OSError as error:
            raise _unreadable(entry, error) from error
        try:
            yield from _file_leaves(
                RecordSource(descriptor, entry.name, options.progress), listing, options, state
            )
        except OSError as error:
            raise _unreadable(entry, error) from error
        finally:
            os.close(descriptor)


def _file_leaves(source: RecordSource, listing: Listing, options: _Options, state: _State) -> Iterator[bytes]:
    chosen = options.record_format
    if chosen is not None and (listing.single or holds_records(chosen, source.name)):
        try:
            found = cut(chosen, source)
            _share(state, (found.header, found.schema_digest), source)
            for batch in found.batches:
                yield _hashed(batch, options, state)
        except Malformed as error:
            if error.code == "CON016":
                error.hint = error.hint or "name the right format with --records"
            raise
    digest = source.finish()
    state.resources.append(Resource(name=source.name, algorithm="sha256", digest=digest))
    if chosen is None:
        yield _hashed([digest], options, state)


def _share(state: _State, found: tuple[str | None, str | None], source: RecordSource) -> None:
    """One header and one schema are signed, so all files must have them."""
    if state.shared is not None and state.shared != found:
        raise unclear(f"{source.name} has another header or schema than the files before it")
    state.shared = found


def _hashed(batch: list[bytes], options: _Options, state: _State) -> bytes:
    """Turn a batch of records into joined leaves."""
    if options.watch is not None:
        options.watch(state.count, batch)
    state.count += len(batch)
    if options.most is not None and state.count > options.most:
        raise Malformed(f"there are more than {options.most:,} records", code="CON015")
    prefix = LEAF_PREFIX
    if options.salts is None:
        return b"".join([sha256(prefix + record).digest() for record in batch])
    salts = options.salts(len(batch))
    return b"".join(
        [leaf_hash(salts[at * SALT_SIZE : (at + 1) * SALT_SIZE] + record) for at, record in enumerate(batch)]
    )


def _unreadable(entry: FileEntry, error: OSError) -> Undecided:
    from provenance.artifacts.reading import FileChanged

    code = "ART009" if isinstance(error, FileChanged) else "ART008"
    return Undecided(f"cannot read {entry.name}: {(error.strerror or str(error)).lower()}", code=code)
