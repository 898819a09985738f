"""Opening files of an artifact without ever leaving it: no component of a name may be a symbolic link.

Every name is walked from the root by directory descriptors, so a directory that is swapped for a link between
the listing and the reading is noticed (``ELOOP`` or ``ENOTDIR``) and never followed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["open_artifact_file", "open_beneath", "open_directory", "opened_root"]

# O_NONBLOCK: opening a FIFO must not wait for a writer.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_DIRECTORY = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC


@contextmanager
def opened_root(root: Path) -> Iterator[int]:
    """Open the artifact's own directory (which the user named, so links in its path are the user's) for a while."""
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def open_directory(root: int, name: str) -> int:
    """Open a directory beneath ``root`` ("" is the root itself) and return a descriptor that the caller closes."""
    descriptor = os.dup(root)
    for part in filter(None, name.split("/")):
        parent = descriptor
        try:
            descriptor = os.open(part, _DIRECTORY, dir_fd=parent)
        finally:
            os.close(parent)
    return descriptor


def open_beneath(root: int, name: str, *, allow_symlinks: bool = False) -> int:
    """Open a regular file beneath the directory descriptor ``root`` for reading; the caller closes it.

    With ``allow_symlinks`` links are resolved first and must end inside the root. Raises ``OSError`` where the file
    is absent, is a link or is not a regular file.
    """
    if allow_symlinks:
        name = _contained_target(root, name)
    directory, _, leaf = name.rpartition("/")
    if not directory:
        return _regular(os.open(leaf, _FILE, dir_fd=root))
    parent = open_directory(root, directory)
    try:
        return _regular(os.open(leaf, _FILE, dir_fd=parent))
    finally:
        os.close(parent)


def open_artifact_file(root: Path, name: str, *, allow_symlinks: bool = False) -> int:
    """Open one file of the artifact at ``root`` as ``open_beneath`` does."""
    with opened_root(root) as descriptor:
        return open_beneath(descriptor, name, allow_symlinks=allow_symlinks)


def _regular(descriptor: int) -> int:
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError("not a regular file")


def _contained_target(root: int, name: str) -> str:
    base = os.path.realpath(f"/proc/self/fd/{root}")
    target = os.path.realpath(os.path.join(base, name))
    if not target.startswith(base + os.sep):
        raise OSError("a symbolic link leads out of the artifact")
    return os.path.relpath(target, base)
