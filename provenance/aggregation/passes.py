"""Passes over all columns: in ranges that fit the cache, in parallel only across columns, results in their order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from typing import Any, Final, TypeVar

from provenance.aggregation.updates import BLOCK, ArrayUpdates, FileUpdates, Updates
from provenance.aggregation.workers import Submit, workers

__all__ = ["Pass", "Passes", "each_range", "over_threads", "ranges_of", "threads_for"]

Result = TypeVar("Result")

Pass = Callable[[Updates, int, int], Any]
"""What is done with the columns ``[start, stop)`` of updates; it can be pickled (by cloudpickle)."""
Passes = Callable[[Updates, Pass], Iterator[Any]]
"""Does it with all columns, range by range, anywhere, and gives the results in the order of the columns."""

RANGES_BYTES: Final = 24 * 1024 * 1024
MOST_RANGE_BYTES: Final = 12 * 1024 * 1024
# Elements from which threads are worth it: where there is something to read and to hash, and in memory, where they
# mostly wait for Python on less.
WORTH_THREADS: Final = 1 << 21
IN_MEMORY: Final = 1 << 25


def ranges_of(updates: Updates, chunk: int | None = None, threads: int = 1) -> list[tuple[int, int]]:
    """Cut the columns into ranges of about ``chunk`` columns, or so that all threads together hold 24 MiB.

    They begin on the grid of the source, so that it reads nothing twice.
    """
    step = updates.step if isinstance(updates, FileUpdates) else BLOCK
    wanted = chunk or min(MOST_RANGE_BYTES, RANGES_BYTES // threads) // (
        updates.n * max(4, updates.dtype.itemsize)
    )
    width = max(1, wanted // step) * step
    return [(start, min(start + width, updates.d)) for start in range(0, updates.d, width)]


def over_threads(
    updates: Updates, work: Pass, *, chunk: int | None = None, threads: int | None = None
) -> Iterator[Any]:
    """Take a pass in threads of this process; see ``Passes``."""
    number = threads_for(updates, threads)
    return each_range(partial(work, updates), ranges_of(updates, chunk, number), number)


def each_range(
    work: Callable[[int, int], Result], ranges: list[tuple[int, int]], threads: int
) -> Iterator[Result]:
    """Give the results of ``work(start, stop)`` in the order of the ranges, at most twice ``threads`` ahead."""
    alone = threads < 2 or len(ranges) < 2
    with workers(1 if alone else threads) as submit:
        yield from _ahead(submit, work, ranges, 1 if alone else 2 * threads)


def _ahead(
    submit: Submit[Any], work: Callable[[int, int], Result], ranges: list[tuple[int, int]], most: int
) -> Iterator[Result]:
    waiting: deque[Future[Result]] = deque()
    try:
        for start, stop in ranges:
            waiting.append(submit(partial(work, start, stop)))
            if len(waiting) >= most:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def threads_for(updates: Updates, threads: int | None) -> int:
    """Give the number of threads: as asked, else the processors at hand where there is enough to do."""
    if threads is not None:
        if isinstance(threads, bool) or threads < 1:
            raise ValueError(f"threads must be at least 1, not {threads}")
        return threads
    worth = IN_MEMORY if isinstance(updates, ArrayUpdates) else WORTH_THREADS
    return len(os.sched_getaffinity(0)) if updates.n * updates.d >= worth else 1
