"""A file that is read once, for its records and for its digest."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import Final

from provenance.artifacts.reading import FileChanged, Progress
from provenance.errors import Malformed

__all__ = ["MAX_RECORD_BYTES", "RecordSource", "shown", "unclear"]

MAX_RECORD_BYTES: Final = 64 * 1024 * 1024
_READ_SIZE: Final = 1024 * 1024


def unclear(message: str, hint: str = "") -> Malformed:
    """Make the error of a file that cannot be cut into records without doubt (CON016)."""
    return Malformed(message, code="CON016", hint=hint)


def shown(data: bytes, most: int = 60) -> str:
    """Write bytes for a message: as text where they are, cut to one line's length."""
    text = data[:most].decode("utf-8", "backslashreplace")
    return f"`{text}{'…' if len(data) > most else ''}`"


class RecordSource:
    """Reads a regular file from its start to its end and digests every byte on the way.

    ``name`` is how messages call the file; ``size`` is what it had at the start.
    """

    def __init__(self, descriptor: int, name: str, progress: Progress | None = None) -> None:
        self.descriptor, self.name = descriptor, name
        self.size = os.fstat(descriptor).st_size
        self._whole = sha256()
        self._position = 0
        self._buffer = b""
        self._progress = progress

    def chunk(self) -> bytes:
        """Return the next MiB at most, in any place of the file; empty at its end."""
        if self._buffer:
            found, self._buffer = self._buffer, b""
            return found
        found = os.pread(self.descriptor, _READ_SIZE, self._position)
        self._position += len(found)
        self._whole.update(found)
        if self._progress is not None:
            self._progress(len(found))
        return found

    def take(self, count: int) -> bytes:
        """Return the next ``count`` bytes, or fewer at the end of the file."""
        if len(self._buffer) >= count:
            found, self._buffer = self._buffer[:count], self._buffer[count:]
            return found
        parts, missing = [], count
        while missing and (part := self.chunk()):
            parts.append(part[:missing])
            self._buffer = part[missing:]
            missing -= len(parts[-1])
        return b"".join(parts)

    def finish(self) -> bytes:
        """Read what is left and return the SHA-256 of the whole file; raises ``FileChanged`` for another length."""
        while self.chunk():
            pass
        if self._position != self.size:
            raise FileChanged("the file changed while it was read")
        return self._whole.digest()
