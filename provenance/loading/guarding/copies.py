"""One copy of a file that nothing can change any more: every guard proves this copy, and the loader gets it."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from provenance.loading.arrays import Buffer
from provenance.loading.memfd import HAS_SEALS, make_sealed, sealed_copy, sealed_memory
from provenance.loading.reading import fill

__all__ = ["Copy", "copied", "copy_at"]

_paths: dict[str, Copy] = {}


class _Reader(io.RawIOBase):
    """Reads the copy by a descriptor of its own, which goes when nobody reads any more."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = os.dup(descriptor)
        self.size = os.fstat(descriptor).st_size
        self.position = 0

    def readable(self) -> bool:
        """See ``io.RawIOBase``."""
        return True

    def seekable(self) -> bool:
        """See ``io.RawIOBase``."""
        return True

    def readinto(self, buffer: Any) -> int:
        """See ``io.RawIOBase``."""
        count = os.preadv(self.descriptor, [buffer], self.position)
        self.position += count
        return count

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """See ``io.RawIOBase``."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self.position, os.SEEK_END: self.size}[whence]
        self.position = max(0, start + offset)
        return self.position

    def tell(self) -> int:
        """See ``io.RawIOBase``."""
        return self.position

    def close(self) -> None:
        """See ``io.RawIOBase``."""
        if not self.closed:
            os.close(self.descriptor)
        super().close()


class Copy:
    """The copy, made when the file is first read; ``memory`` holds what it holds."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.memory: Buffer | None = None
        self.descriptor: int | None = None

    def make(self, source: int) -> Buffer:
        """Copy from an open file; where the copy was made already, only see that the file has still its size.

        Raises ``OSError`` where it has another one.
        """
        size = os.fstat(source).st_size
        if self.memory is not None:
            if len(self.memory) != size:
                raise OSError("the file changed while it was read")
            return self.memory
        if HAS_SEALS:
            self.descriptor = make_sealed(self.name, size, lambda view: fill(source, size, view))
            self.memory = sealed_memory(self.descriptor, size)
        else:
            self.memory = bytearray(size)
            fill(source, size, memoryview(self.memory))
        return self.memory

    def stream(self) -> io.BufferedReader | io.BytesIO:
        """Give the copy as a file object, which may be read for as long as anybody likes."""
        assert self.memory is not None
        if self.descriptor is None:
            return io.BytesIO(self.memory)
        return io.BufferedReader(_Reader(self.descriptor))

    @contextmanager
    def path(self, *, named: bool) -> Iterator[Path]:
        """Give the copy a path for a while; with the file's own name where the loader goes by it."""
        assert self.memory is not None
        with ExitStack() as stack:
            if self.descriptor is None:
                place = stack.enter_context(sealed_copy(self.name, memoryview(self.memory)))
            else:
                place = Path(f"/proc/{os.getpid()}/fd/{self.descriptor}")
            if named:
                private = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="provenance-")))
                (private / self.name).symlink_to(place)
                place = private / self.name
            _paths[str(place)] = self
            stack.callback(_paths.pop, str(place), None)
            yield place


@contextmanager
def copied(name: str) -> Iterator[Copy]:
    """Yield a copy that is to be made, and let go of it at the end; what was mapped from it stays."""
    copy = Copy(name)
    try:
        yield copy
    finally:
        if copy.descriptor is not None:
            os.close(copy.descriptor)


def copy_at(path: str) -> Copy | None:
    """The copy that was proven, is being loaded and has this path, or None where it is none."""
    return _paths.get(path)
