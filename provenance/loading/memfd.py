"""Copies in memory that can be opened by a path and can never be changed any more (Linux: sealed memfd)."""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from provenance.errors import UsageError

__all__ = ["HAS_SEALS", "make_sealable", "seal", "sealed_copy"]

HAS_SEALS = hasattr(os, "memfd_create") and hasattr(fcntl, "F_ADD_SEALS")


def make_sealable(name: str, size: int) -> tuple[int, mmap.mmap | bytearray]:
    """Return the descriptor of an empty memfd of ``size`` bytes, and writable memory that is its content.

    Raises ``UsageError`` where this process may open no more files.
    """
    try:
        descriptor = os.memfd_create(name[:200], os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    except OSError as error:
        raise UsageError(
            f"cannot make a sealed copy of {name}: {(error.strerror or str(error)).lower()}",
            hint="raise the limit of open files (ulimit -n)",
        ) from error
    os.ftruncate(descriptor, size)
    return descriptor, mmap.mmap(descriptor, size) if size else bytearray()


def seal(descriptor: int, content: mmap.mmap | bytearray) -> None:
    """Take the writable memory away and forbid every later change, also to who opens the file anew."""
    if isinstance(content, mmap.mmap):
        content.close()
    seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)


@contextlib.contextmanager
def sealed_copy(name: str, data: memoryview) -> Iterator[Path]:
    """Give ``data`` a path for a while; where there are no seals, a private read-only file."""
    if HAS_SEALS:
        descriptor, content = make_sealable(Path(name).name, len(data))
        try:
            memoryview(content)[:] = data
            seal(descriptor, content)
            yield Path(f"/proc/{os.getpid()}/fd/{descriptor}")
        finally:
            os.close(descriptor)
        return
    with tempfile.TemporaryDirectory(prefix="provenance-") as private:
        path = Path(private) / Path(name).name
        path.write_bytes(data)
        path.chmod(0o400)
        yield path
