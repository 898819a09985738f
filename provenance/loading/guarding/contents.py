"""Judging pickles before they are unpickled: by the reader of ``scan``, over the very bytes that are loaded then."""

from __future__ import annotations

import io
from typing import Any

import msgspec

from policies import Finding, finding, outcome
from provenance.loading.guarding.active import Guarding, obeyed
from provenance.loading.guarding.records import Load
from provenance.loading.guarding.running import unwatched
from provenance.loading.guarding.verdicts import require
from provenance.scanning.pickles.machine import Machine
from provenance.scanning.pickles.reading import read_stream
from provenance.scanning.pickles.report import Report
from provenance.scanning.pickles.source import ReaderSource, Source
from provenance.scanning.readers import BytesReader

__all__ = ["judged_stream"]


class _FileSource:
    """A source over a file object that keeps all that it gave, so that the same bytes can be loaded."""

    def __init__(self, file: Any) -> None:
        self.file = file
        self.position = 0
        self.kept = bytearray()
        self.reader = self  # what was given can be read again: bytes in a pickle may be a file of their own

    @property
    def size(self) -> int:
        """See ``Reader``."""
        return len(self.kept)

    def read_at(self, offset: int, length: int) -> bytes:
        """See ``Reader``."""
        return bytes(self.kept[offset : offset + length])

    def read(self, length: int) -> bytes:
        """See ``Source``."""
        data = bytes(self.file.read(length))
        self.position += len(data)
        self.kept += data
        return data

    def skip(self, length: int) -> int:
        """See ``Source``."""
        skipped = 0
        while skipped < length:
            part = self.read(min(length - skipped, 1 << 20))
            if not part:
                break
            skipped += len(part)
        return skipped


@unwatched()
def judged_stream(file: Any, path: str, loader: str, *, buffers: bool) -> tuple[Any, int | None]:
    """Judge the next pickle of a file object, and return a stream of its bytes and the position behind it.

    ``buffers`` where the caller brings the out-of-band buffers along. Where the file cannot go back to where it was,
    nothing is read and the file itself is returned, with None: its names are judged as they come.
    Raises ``Refused`` or ``Undecided``.
    """
    start = _position(file)
    if start is None:
        return file, None
    # Bytes in memory are read where they lie, unless many pickles follow one another in them.
    data = file.getvalue() if type(file) is io.BytesIO and not start else None
    length = 0
    for guard in obeyed():
        source: Source = _FileSource(file) if data is None else ReaderSource(BytesReader(data))
        length, findings = _judge(guard, source, buffers=buffers)
        if isinstance(source, _FileSource):
            data = bytes(source.kept)
            file.seek(start)
        if not data:
            return io.BytesIO(), None  # the end of the file: let the unpickler say so
        _conclude(guard, path, loader, length, findings)
    return io.BytesIO((data or b"")[:length]), start + length


def _position(file: Any) -> int | None:
    try:
        return int(file.tell()) if file.seekable() else None
    except (AttributeError, OSError, ValueError, TypeError):
        return None


def _judge(guard: Guarding, source: Source, *, buffers: bool) -> tuple[int, list[Finding]]:
    """The length of the pickle and what speaks against it."""
    if guard.terms.policy.formats.pickle != "allowlist":
        first = source.read(1)
        return len(first), [finding("PKL001", "a pickle is loaded, and the policy accepts none")]
    report = Report()
    machine = Machine(source, guard.allowed, report)
    read_stream(machine)
    found = [each for each in report.findings if not (buffers and each.rule == "PKL011")]
    return machine.offset, found


def _conclude(guard: Guarding, path: str, loader: str, size: int, findings: list[Finding]) -> None:
    """Write the load down where it is one of a file or is not accepted, and raise where it is not."""
    decision = outcome(findings)
    if decision == "accepted" and not path:
        return
    load = Load(
        loader=loader,
        path=path,
        format="pickle",
        size=size,
        decision=decision,
        policy=guard.terms.policy.name,
        findings=tuple(msgspec.structs.replace(each, path=each.path or path) for each in findings),
    )
    require(guard, load)
