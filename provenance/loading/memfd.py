"""Copies in memory that can be opened by a path and can never be changed any more (Linux: sealed memfd)."""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from provenance.errors import UsageError

__all__ = ["HAS_SEALS", "make_sealed", "sealed_copy", "sealed_memory"]

HAS_SEALS = hasattr(os, "memfd_create") and hasattr(fcntl, "F_ADD_SEALS")
_SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL if HAS_SEALS else 0
_COMPARED = 1024 * 1024


def make_sealed(name: str, size: int, write: Callable[[memoryview], None]) -> int:
    """Return the descriptor of a memfd of ``size`` bytes that ``write`` filled and that nobody can change any more.

    Until it is sealed, other processes of this user can write to it: what it holds must be proven afterwards. Raises
    ``UsageError`` where this process may open no more files, and what ``write`` raises.
    """
    try:
        descriptor = os.memfd_create(
            os.fsdecode(os.fsencode(name)[:200]), os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
        )
    except OSError as error:
        raise UsageError(
            f"cannot make a sealed copy of {name}: {(error.strerror or str(error)).lower()}",
            hint="raise the limit of open files (ulimit -n)",
        ) from error
    try:
        os.ftruncate(descriptor, size)
        if size:
            with mmap.mmap(descriptor, size) as content, memoryview(content) as view:
                write(view)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def sealed_memory(descriptor: int, size: int) -> mmap.mmap | bytearray:
    """Map what a sealed memfd holds, for reading."""
    return mmap.mmap(descriptor, size, access=mmap.ACCESS_READ) if size else bytearray()


@contextlib.contextmanager
def sealed_copy(name: str, data: memoryview) -> Iterator[Path]:
    """Give ``data`` a path for a while; where there are no seals, a private read-only file.

    Raises ``OSError`` where somebody changed the copy before it was sealed.
    """
    if not HAS_SEALS:
        with tempfile.TemporaryDirectory(prefix="provenance-") as private:
            path = Path(private) / Path(name).name
            path.write_bytes(data)
            path.chmod(0o400)
            yield path
        return

    def write(view: memoryview) -> None:
        view[:] = data

    descriptor = make_sealed(Path(name).name, len(data), write)
    try:
        for start in range(0, len(data), _COMPARED):
            if os.pread(descriptor, _COMPARED, start) != bytes(data[start : start + _COMPARED]):
                raise OSError("the copy was changed before it was sealed")
        yield Path(f"/proc/{os.getpid()}/fd/{descriptor}")
    finally:
        os.close(descriptor)
