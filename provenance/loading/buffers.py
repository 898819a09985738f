"""Memory that files are read into: private to this process, and made ready in the cheapest way that there is."""

from __future__ import annotations

import ctypes
import functools
import mmap
import sys
import time
from collections.abc import Callable

__all__ = ["allocate", "preparer"]

_MAPPED = 4 * 1024 * 1024
# Linux's advice, by number: not all of it has a name in Python's mmap.
_HUGEPAGE, _NOHUGEPAGE, _POPULATE_WRITE = 14, 15, 23
# A huge page that is at hand is cleared within 0.1 ms; one that must be made takes several times as long.
_CHEAP_SECONDS = 0.5e-3
_TRIAL = 2 * 1024 * 1024
_FIRST_RUN = 32
Advise = Callable[[int, int, int], int]


def allocate(size: int) -> mmap.mmap | bytearray:
    """Return ``size`` writable bytes that nothing but this process can reach.

    Raises ``OSError``, ``MemoryError`` or ``OverflowError`` where there is no such memory. A shared mapping, which is
    Python's default, would never get huge pages.
    """
    if size < _MAPPED or sys.platform == "win32":
        return bytearray(size)
    return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


def preparer(buffer: memoryview) -> Callable[[memoryview], None]:
    """Return a function that makes pieces of fresh ``buffer`` ready to be written, as far as it can.

    Fresh memory is what a load mostly pays for. One call for a piece is cheaper than a fault for each of its pages, and
    huge pages need 512 times fewer of them. But where the kernel (or the host of a virtual machine, which takes back
    what lies free) must first make huge pages, they cost several times what they save. So the first of each run of
    pieces tries one; when that was slow, small pages serve the following ones, four times as many each time. The advice
    is given for the whole buffer, for it needs a lock that the pieces' threads would all wait for. Threads may share
    the function.
    """
    if sys.platform != "linux":
        return _nothing
    advise, whole = _madvise(), _pages(buffer)
    pieces, small = _FIRST_RUN, 0
    advise(*whole, _HUGEPAGE)

    def prepare(part: memoryview) -> None:
        nonlocal pieces, small
        address, length = _pages(part)
        if small > 0:
            small -= 1
            if not small:
                advise(*whole, _HUGEPAGE)
        elif length >= _TRIAL and not _cheap(advise, address):
            small, pieces = pieces, pieces * 4
            advise(*whole, _NOHUGEPAGE)
        advise(address, length, _POPULATE_WRITE)

    return prepare


def _cheap(advise: Advise, address: int) -> bool:
    """Whether memory of a huge page's size was made ready in the time of one that is at hand."""
    started = time.perf_counter()
    advise(address, _TRIAL, _POPULATE_WRITE)
    return time.perf_counter() - started <= _CHEAP_SECONDS


@functools.cache
def _madvise() -> Advise:
    """The C library's function, which releases the GIL; Python's own does not."""
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return advise


def _pages(part: memoryview) -> tuple[int, int]:
    """Address and length of the whole pages in a piece of writable memory."""
    if len(part) < mmap.PAGESIZE:
        return 0, 0
    first = ctypes.addressof(ctypes.c_char.from_buffer(part))
    start = -(-first // mmap.PAGESIZE) * mmap.PAGESIZE
    return start, max(0, (first + len(part) - start) // mmap.PAGESIZE * mmap.PAGESIZE)


def _nothing(_: memoryview) -> None:
    return None
