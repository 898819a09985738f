"""Sharing work out among the cores that this process may use."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["on_all_cores", "worker_count"]

_MOST = 8
_Item = TypeVar("_Item")
_Found = TypeVar("_Found")


def worker_count() -> int:
    """Return how many threads read at once: the cores this process may use, at most eight."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MOST)


def on_all_cores(one: Callable[[_Item], _Found], items: Sequence[_Item]) -> list[_Found]:
    """Return what ``one`` gives for each item, in their order, in which they are begun too; raises what it raises.

    This thread is one of the workers, so that the work is done, if slower, where no further thread can be had; and once
    it fails or is interrupted, the others begin nothing more.
    """
    pending, found = iter(range(len(items))), {}

    def work() -> None:
        for number in pending:
            found[number] = one(items[number])

    helpers = min(worker_count(), len(items)) - 1
    if helpers < 1:
        return [one(item) for item in items]
    with ThreadPoolExecutor(helpers) as pool:
        others = _started(pool, work, helpers)
        try:
            work()
        except BaseException:
            for _ in pending:
                pass
            raise
        for other in others:
            other.result()
    return [found[number] for number in range(len(items))]


def _started(pool: ThreadPoolExecutor, work: Callable[[], None], helpers: int) -> list[Future[None]]:
    started = []
    for _ in range(helpers):
        try:
            started.append(pool.submit(work))
        except RuntimeError:  # what Python raises where the system refuses a thread
            break
    return started
