"""How long and how much memory reading an input may take; what goes beyond is a finding."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable

__all__ = ["MAX_BYTES", "MAX_INPUT", "MAX_SECONDS", "Exceeded", "bounded"]

MAX_INPUT = 1 << 16  # bytes of an input
MAX_SECONDS = 10.0  # of processor time; machines that run other things besides are slow
MAX_BYTES = 1 << 30  # of memory beyond what was in use before


class Exceeded(Exception):
    """The input took longer or more memory than the bounds allow."""


def bounded(target: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """Wrap a target so that it raises Exceeded for what takes too long or too much."""

    def run(data: bytes) -> None:
        before, started = _peak(), time.process_time()
        target(data)
        took, grown = time.process_time() - started, _peak() - before
        if took > MAX_SECONDS or grown > MAX_BYTES:
            raise Exceeded(f"{took:.1f} s and {grown >> 20} MiB for {len(data)} bytes")

    return run


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
