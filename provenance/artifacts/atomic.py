"""Writing a file so that after a kill at any moment either the old file or the new one is there, never half."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["TEMPORARY", "open_atomically", "write_atomically"]

# What a kill may leave behind: ".NAME.<16 hex digits>.tmp"; listings know it for a half-written NAME.
TEMPORARY = re.compile(r"\.(.+)\.[0-9a-f]{16}\.tmp")


def write_atomically(path: Path, data: bytes, *, mode: int = 0o644, exclusive: bool = False) -> None:
    """Write ``data`` beside ``path``, flush it to the disk and move it into place.

    With ``exclusive`` an existing file is not replaced and ``FileExistsError`` is raised.
    """
    with open_atomically(path, mode=mode, exclusive=exclusive) as file:
        file.write(data)


@contextmanager
def open_atomically(path: Path, *, mode: int = 0o644, exclusive: bool = False) -> Iterator[BinaryIO]:
    """Yield a file beside ``path`` to be written piece by piece; it takes its place when the block ends without error.

    With ``exclusive`` an existing file is not replaced and ``FileExistsError`` is raised.
    """
    temporary = path.with_name(f".{path.name[:200]}.{secrets.token_hex(8)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _move(temporary, path, exclusive=exclusive)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _flush_directory(path.parent)


def _move(temporary: Path, path: Path, *, exclusive: bool) -> None:
    if exclusive:
        os.link(temporary, path, follow_symlinks=False)
        temporary.unlink()
    else:
        os.replace(temporary, path)


def _flush_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
