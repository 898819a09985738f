"""A source that must not change while it is read, for a statement about it would be about something else."""

from __future__ import annotations

import hashlib
import os

__all__ = ["Changed", "Steady"]

_STEP = 1 << 20


class Changed(Exception):
    """The file is not what it was when it was opened."""


class Steady:
    """An open file as it was found; ``confirm`` raises Changed where it is no longer so."""

    def __init__(self, descriptor: int, *, digest: bool = False) -> None:
        self.descriptor = descriptor
        self._state = _state(descriptor)
        self.size = self._state[0]
        self.sha256 = _sha256(descriptor, self.size) if digest else b""

    def confirm(self) -> None:
        """Compare size and times, and the digest where one was taken, which no clock can deceive."""
        if self.sha256 and _sha256(self.descriptor, self.size) != self.sha256:
            raise Changed
        if _state(self.descriptor) != self._state:
            raise Changed


def _state(descriptor: int) -> tuple[int, int, int]:
    found = os.fstat(descriptor)
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _sha256(descriptor: int, size: int) -> bytes:
    digest = hashlib.sha256()
    for offset in range(0, size, _STEP):
        digest.update(os.pread(descriptor, min(_STEP, size - offset), offset))
    return digest.digest()
