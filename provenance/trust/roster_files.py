"""Reading the file of a roster, once: what is parsed is what is digested."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import msgspec

from provenance.errors import Malformed, Undecided
from provenance.trust.roster import Roster
from provenance.trust.roster_text import MAX_ROSTER_BYTES, parse_roster

__all__ = ["RosterFile", "read_roster"]

# O_NONBLOCK: opening a FIFO must not wait for a writer.
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


class RosterFile(msgspec.Struct, frozen=True):
    """The bytes of a roster's file and what they say; nothing is verified."""

    data: bytes
    text: str
    roster: Roster


def read_roster(path: Path) -> RosterFile:
    """Read a roster without verifying anything; raises ``Malformed`` (CON005) or ``Undecided`` (CON006)."""
    data = _read(path)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed(f"{path} is not UTF-8 text", code="CON005") from None
    return RosterFile(data, text, parse_roster(text, name=str(path)))


def _read(path: Path) -> bytes:
    try:
        with os.fdopen(os.open(path, _FLAGS), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Undecided(f"the roster {path} is not a regular file", code="CON006")
            data = file.read(MAX_ROSTER_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise Undecided(f"cannot read the roster {path}: {reason}", code="CON006") from error
    if len(data) > MAX_ROSTER_BYTES:
        raise Malformed(f"the roster {path} is larger than {MAX_ROSTER_BYTES >> 20} MiB", code="CON005")
    return data
