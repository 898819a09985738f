"""What a guard writes down: loads, refusals and armed processes, in memory and in a journal for other processes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import msgspec

from policies import Finding
from policies.findings import DecisionName

__all__ = ["MAX_RECORDS", "Armed", "Load", "Record", "Refusal", "append", "read_journal"]

# A program that loads more than this goes on, guarded; its report is cut off and says so.
MAX_RECORDS = 10_000
_MAX_JOURNAL_BYTES = 64 * 1024 * 1024


class Load(msgspec.Struct, frozen=True, kw_only=True, tag="load"):
    """One load through a guarded loader: what was loaded, what its content is, and what was decided.

    ``digest`` is the root digest (hex) of the manifest that covers the file, "" where nothing signed does; ``sealed``
    says whether the loader was given the proven copy, in place of the file itself.
    """

    loader: str
    path: str
    format: str
    size: int
    decision: DecisionName
    policy: str
    digest: str = ""
    signers: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    sealed: bool = True
    process: int = 0


class Refusal(msgspec.Struct, frozen=True, kw_only=True, tag="refusal"):
    """Something that was stopped while it ran: by the hook, the net or a wrapped unpickler."""

    finding: Finding
    process: int = 0


class Armed(msgspec.Struct, frozen=True, kw_only=True, tag="armed"):
    """A process in which the guard was armed from outside."""

    command: str
    process: int = 0


Record = Load | Refusal | Armed


def append(journal: str, record: Record) -> None:
    """Add a record to this process's own file of the journal; a journal that is gone is no reason to stop a load."""
    with contextlib.suppress(OSError):
        path = os.path.join(journal, f"{os.getpid()}.jsonl")
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(path, flags, 0o600)
        try:
            os.write(descriptor, msgspec.json.encode(_encodable(msgspec.to_builtins(record))) + b"\n")
        finally:
            os.close(descriptor)


def _encodable(value: Any) -> Any:
    """The same without bytes of names that are not UTF-8, which JSON has no place for."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {name: _encodable(item) for name, item in value.items()}
    return [_encodable(item) for item in value] if isinstance(value, list | tuple) else value


def read_journal(journal: str, *, leave_out: int = 0) -> tuple[list[Record], bool]:
    """Read what all processes wrote, but for the one numbered ``leave_out``; false where a part is unreadable."""
    decoder = msgspec.json.Decoder(Record)
    records: list[Record] = []
    complete = True
    for line in _lines(journal, leave_out):
        try:
            records.append(decoder.decode(line))
        except msgspec.MsgspecError:
            complete = False
    return records, complete


def _lines(journal: str, leave_out: int) -> Iterator[bytes]:
    with contextlib.suppress(OSError):
        for name in sorted(os.listdir(journal)):
            if name.endswith(".jsonl") and name != f"{leave_out}.jsonl":
                with open(os.path.join(journal, name), "rb") as file:
                    yield from file.read(_MAX_JOURNAL_BYTES).splitlines()
