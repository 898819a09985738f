"""Rounds and manifests on a Dask cluster, with the same digests as on one machine, whatever the workers.

All workers and the client see the folder of the updates under the same path. Each file is examined by one worker; the
client checks signatures and settles who takes part, as on one machine. Then workers take the passes over ranges of
columns: exact integer parts of the Gram matrix, which add up in any order, and slices of the result, which the client
writes and signs. Files are opened anew for each range, and every piece of 16,384 columns is proven by the BLAKE3 digest
that it had when the whole file was verified, so nobody who writes to the folder meanwhile goes unnoticed.

The files of any other artifact, such as a data set, are hashed on the workers for ``manifest``.

Trusted are all members of the cluster, for Dask runs what they send each other (so use its TLS), and what workers say:
one that lies about what it read or computed falsifies the round, and a replay elsewhere shows it. The work of a worker
that dies is done by another; where none is left, or one does not see the folder, or runs another version, the round
fails.
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import partial
from importlib.metadata import version
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from provenance.aggregation.arithmetic import refuse_flushing
from provenance.aggregation.passes import Pass, ranges_of
from provenance.aggregation.rounds.engine import Engine
from provenance.aggregation.rounds.examining import Examined
from provenance.aggregation.rounds.folder import Seen, examine_file
from provenance.aggregation.rounds.layout import Layout
from provenance.aggregation.rounds.members import AnyKey
from provenance.aggregation.rounds.replaying import replay as replay_round
from provenance.aggregation.rounds.result import Replay, Round
from provenance.aggregation.rounds.round import aggregate as aggregate_round
from provenance.aggregation.rounds.sealing import piece_digest
from provenance.aggregation.rounds.statement import METHOD_VERSION
from provenance.aggregation.rounds.stream import OpenUpdate, StreamedUpdates
from provenance.artifacts.listing import FileEntry, Listing
from provenance.artifacts.manifest import Manifest, Serialization
from provenance.artifacts.measuring import Measured, measure
from provenance.artifacts.opening import open_artifact_file
from provenance.artifacts.reading import Progress
from provenance.errors import Undecided
from provenance.signing.keys import PrivateKey
from provenance.signing.sign import build_manifest

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["PARTITION", "aggregate", "manifest", "replay"]

AnyPath = str | PathLike[str]

# Bytes of all updates together that one task reads, and about what it holds in memory.
PARTITION: Final = 64 * 1024 * 1024
_MOST_FILES: Final = 10_000  # that one task reads


def aggregate(  # noqa: PLR0913 (the options of the verb)
    updates: AnyPath,
    *,
    client: Client,
    roster: AnyPath,
    rule: str,
    faulty: int,
    roster_keys: AnyKey | Iterable[AnyKey] = (),
    round: str | None = None,  # noqa: A002 (the name of the option)
    base: AnyPath | None = None,
    pre: Sequence[str] = (),
    parameters: Mapping[str, Any] | None = None,
    output: AnyPath | None = None,
    key: AnyPath | PrivateKey | None = None,
    password: str | bytes | None = None,
    max_norm: float = math.inf,
    observe: bool = False,
    now: datetime | None = None,
    partition: int = PARTITION,
) -> Round:
    """Do what ``provenance.aggregate`` does on the cluster of ``client``; the digest is the same.

    ``partition`` is how many bytes of all updates together one task reads. Raises what ``provenance.aggregate`` raises,
    and ``Undecided`` where the workers are lost, do not see the folder, or run another version.
    """
    with _told():
        return aggregate_round(
            updates,
            roster=roster,
            rule=rule,
            faulty=faulty,
            roster_keys=roster_keys,
            round=round,
            base=base,
            pre=pre,
            parameters=parameters,
            output=output,
            key=key,
            password=password,
            max_norm=max_norm,
            observe=observe,
            now=now,
            engine=_engine(client, partition),
        )


def replay(  # noqa: PLR0913 (the options of the verb)
    result: AnyPath,
    *,
    client: Client,
    updates: AnyPath,
    roster: AnyPath,
    roster_keys: Iterable[AnyKey] = (),
    keys: Iterable[AnyKey] = (),
    base: AnyPath | None = None,
    store: Iterable[AnyPath] = (),
    now: datetime | None = None,
    partition: int = PARTITION,
) -> Replay:
    """Do what ``provenance.replay`` does on the cluster of ``client``; raises as ``aggregate`` does."""
    with _told():
        return replay_round(
            result,
            updates=updates,
            roster=roster,
            roster_keys=roster_keys,
            keys=keys,
            base=base,
            store=store,
            now=now,
            engine=_engine(client, partition),
        )


def manifest(
    path: AnyPath,
    *,
    client: Client,
    ignore: Iterable[str] = (),
    serialization: Serialization | None = None,
    chunks: bool = True,
    partition: int = PARTITION,
) -> Manifest:
    """List the files of an artifact here, and have them hashed on the cluster of ``client``.

    The manifest is the one that is made on one machine, and ``root_digest(manifest.resources)`` the digest by which
    statements name the artifact. ``ignore`` are exact relative paths to leave out, ``serialization`` says how to cut
    files (whole, by SHA-256, where none is given), and ``chunks`` asks for the BLAKE3 digests of each 4 MiB of whole
    files. A task reads ``partition`` bytes, or one larger file. Raises ``Refused`` or ``Undecided`` with a rule id
    where a file cannot be read or named, and ``Undecided`` where the workers are lost or run another version.
    """
    with _told("ART008"):
        return build_manifest(
            Path(path),
            serialization or Serialization(),
            ignore=ignore,
            chunks=chunks,
            measuring=partial(_measured, client, partition),
        )


def _measured(
    client: Client,
    partition: int,
    listing: Listing,
    serialization: Serialization,
    *,
    chunks: bool = False,
    progress: Progress | None = None,
) -> Measured:
    """Have the listed files measured by the workers, some at a time."""
    rooted = msgspec.structs.replace(listing, root=Path(os.path.abspath(listing.root)), findings=())
    parts = [msgspec.structs.replace(rooted, files=files) for files in _batches(listing.files, partition)]
    work = partial(_measure, _stamp(), serialization=serialization, chunks=chunks)
    futures = client.map(work, parts, pure=False)
    try:
        found: list[Measured] = []
        for part, future in zip(parts, futures, strict=True):
            found.append(future.result())
            if progress is not None:
                progress(part.total_bytes)
    finally:
        client.cancel(futures)
    return Measured(
        files=tuple(file for each in found for file in each.files),
        findings=tuple(problem for each in found for problem in each.findings),
    )


def _batches(files: Sequence[FileEntry], partition: int) -> Iterator[tuple[FileEntry, ...]]:
    """Cut files into runs of about so many bytes, and of not too many files."""
    batch: list[FileEntry] = []
    size = 0
    for file in files:
        if batch and (size + file.size > partition or len(batch) >= _MOST_FILES):
            yield tuple(batch)
            batch, size = [], 0
        batch.append(file)
        size += file.size
    if batch:
        yield tuple(batch)


def _measure(
    stamp: tuple[str, str], listing: Listing, *, serialization: Serialization, chunks: bool
) -> Measured:
    """Measure some files, on a worker."""
    _require(stamp)
    try:
        return measure(listing, serialization, chunks=chunks)
    except OSError as error:
        raise _blind(str(listing.root), error, "ART008") from error


def _engine(client: Client, partition: int) -> Engine:
    return Engine(examine=partial(_examined, client), passes=partial(_passes, client, partition))


@contextmanager
def _told(code: str = "AGG014") -> Iterator[None]:
    """Turn the loss of workers into an ``Undecided``."""
    from distributed import CancelledError, KilledWorker
    from distributed.comm import CommClosedError

    try:
        yield
    except (KilledWorker, CancelledError, CommClosedError) as error:
        raise Undecided(
            f"the cluster lost its workers before the work was done ({type(error).__name__})",
            code=code,
            hint="see the workers' logs; with less memory for each, take a smaller partition",
        ) from error


def _stamp() -> tuple[str, str]:
    """What client and workers have to agree on, for the same bits to come out."""
    return version("ml-provenance"), METHOD_VERSION


def _require(stamp: tuple[str, str]) -> None:
    if _stamp() != stamp:
        ours, theirs = _stamp()[0], stamp[0]
        raise Undecided(f"a worker runs ml-provenance {ours}, and the client {theirs}", code="AGG014")


def _examined(client: Client, directory: Path, names: Sequence[str]) -> Iterable[Seen]:
    """Have every file examined by some worker."""
    place = os.path.abspath(directory)
    futures = client.map(partial(_examine, _stamp(), place), list(names), pure=False)
    try:
        found: list[Seen] = client.gather(futures)
    finally:
        client.cancel(futures)
    return found


def _examine(stamp: tuple[str, str], directory: str, name: str) -> Seen:
    """Examine one file, on a worker."""
    _require(stamp)
    try:
        descriptor = open_artifact_file(Path(directory), name)
    except OSError as error:
        raise _blind(f"{directory}/{name}", error) from error
    try:
        return examine_file(descriptor, name, piece_digest)
    finally:
        os.close(descriptor)


def _blind(path: str, error: OSError, code: str = "AGG014") -> Undecided:
    return Undecided(
        f"a worker cannot open {path}: {(error.strerror or str(error)).lower()}",
        code=code,
        hint="all workers and the client must see the folder under the same path",
    )


class _File(NamedTuple):
    """An update as a worker opens it again, with the digests of the pieces that it reads."""

    path: str
    name: str
    examined: Examined


class _Share(NamedTuple):
    """The files that a task reads."""

    files: tuple[_File, ...]
    base: _File | None
    layout: Layout
    spared: frozenset[int]


def _passes(client: Client, partition: int, updates: Any, work: Pass) -> Iterator[Any]:
    """Take a pass on the workers: results in the order of the columns, at most two for each of their threads ahead."""
    threads = max(1, sum(client.nthreads().values()))
    columns = min(partition // (updates.n * updates.dtype.itemsize), -(-updates.d // threads))
    waiting: deque[Future] = deque()
    try:
        for start, stop in ranges_of(updates, max(1, columns)):
            share = _share(updates, start, stop)
            waiting.append(client.submit(_take, _stamp(), work, share, start, stop, pure=False))
            if len(waiting) >= 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        client.cancel(list(waiting))


def _share(updates: StreamedUpdates, start: int, stop: int) -> _Share:
    def file(update: OpenUpdate) -> _File:
        examined = msgspec.structs.replace(
            update.examined,
            layout=updates.layout,  # the same for all, so it is sent once
            tags={number: update.examined.tags[number] for number in updates.reads(update, start, stop)},
        )
        return _File(os.path.abspath(update.path), update.name, examined)

    base = file(updates.base) if updates.base is not None else None
    return _Share(tuple(file(update) for update in updates.updates), base, updates.layout, updates.spared)


def _take(stamp: tuple[str, str], work: Pass, share: _Share, start: int, stop: int) -> Any:
    """Do what is to be done with a range of columns, on a worker."""
    _require(stamp)
    refuse_flushing()
    with ExitStack() as stack:
        files = [_reopened(stack, each) for each in share.files]
        base = _reopened(stack, share.base) if share.base is not None else None
        return work(StreamedUpdates(files, share.layout, base, share.spared), start, stop)


def _reopened(stack: ExitStack, file: _File) -> OpenUpdate:
    path = Path(file.path)
    try:
        descriptor = open_artifact_file(path.parent, path.name)
    except OSError as error:
        raise _blind(file.path, error) from error
    stack.callback(os.close, descriptor)
    return OpenUpdate(file.name, descriptor, file.examined, path)
