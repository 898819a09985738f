"""Memory that files are read into: private to this process, and of huge pages where these are cheap."""

from __future__ import annotations

import contextlib
import mmap
import time

__all__ = ["allocate"]

_HUGE_PAGE = 2 * 1024 * 1024
_PROBED = 16 * _HUGE_PAGE
# A huge page that is at hand is cleared within 0.1 ms; one that must be made takes several times as long.
_CHEAP_SECONDS = 16 * 0.00025


def allocate(size: int) -> mmap.mmap | bytearray:
    """Return ``size`` writable bytes that nothing but this process can reach.

    Fresh memory is what a load mostly pays for, and huge pages need 512 times fewer faults. But where the kernel (or
    the host of a virtual machine) must first make them, they cost several times what they save. So the first few are
    touched and timed, and the rest is asked for only if those came at once. A shared mapping, which is Python's
    default, never gets them.
    """
    if size < 2 * _PROBED or not hasattr(mmap, "MADV_HUGEPAGE"):
        return bytearray(size)
    buffer = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with contextlib.suppress(OSError):  # a kernel without huge pages
        buffer.madvise(mmap.MADV_HUGEPAGE, 0, _PROBED)
        started = time.perf_counter()
        for offset in range(0, _PROBED, _HUGE_PAGE):
            buffer[offset] = 0
        if time.perf_counter() - started < _CHEAP_SECONDS:
            buffer.madvise(mmap.MADV_HUGEPAGE)
    return buffer
