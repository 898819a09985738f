"""Threads that take the parts of a pass; where the system refuses one, the calling thread does the work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from provenance.aggregation.arithmetic import refuse_flushing
from provenance.aggregation.scratch import forget

__all__ = ["Submit", "workers"]

_Found = TypeVar("_Found")

Submit = Callable[[Callable[[], _Found]], "Future[_Found]"]
"""Begins a task, or does it at once."""


@contextmanager
def workers(threads: int) -> Iterator[Submit[Any]]:
    """Give what has tasks done by so many threads, by fewer where no more can be had, or by this one alone."""
    refuse_flushing()
    try:
        if threads < 2:
            yield partial(_submit, None)
            return
        with ThreadPoolExecutor(threads) as pool:
            yield partial(_submit, pool)
    finally:
        forget()


def _submit(pool: ThreadPoolExecutor | None, task: Callable[[], _Found]) -> Future[_Found]:
    done: Future[_Found] = Future()
    # A task that is queued when a thread is refused may still be taken by another one: whoever comes first has it.
    turns = iter((done,))

    def work() -> None:
        for turn in turns:
            _do(task, turn)

    try:
        if pool is not None:
            pool.submit(work)
    except RuntimeError:  # what Python raises where the system refuses a thread
        pool = None
    if pool is None:
        work()
    return done


def _do(task: Callable[[], _Found], done: Future[_Found]) -> None:
    if not done.set_running_or_notify_cancel():
        return
    try:
        refuse_flushing()
        done.set_result(task())
    except BaseException as error:
        done.set_exception(error)
        if not isinstance(error, Exception):
            raise
