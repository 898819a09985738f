"""Noticing verified loads: whoever records what training used is told of each artifact that was handed out.

Whoever loads calls ``notice``; where nobody observes, that does nothing. Observers are bound to the context that they
were set in (``contextvars``), so a thread takes part only where it runs in a copy of that context.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from provenance.attestations.statement import Subject

__all__ = ["notice", "observed", "observing"]

Observer = Callable[[Subject], None]

_observers: ContextVar[tuple[Observer, ...]] = ContextVar("observers", default=())


def observed() -> bool:
    """Tell whether anybody observes this context."""
    return bool(_observers.get())


def notice(subject: Subject) -> None:
    """Tell the observers of this context that an artifact was verified and handed out."""
    for observer in _observers.get():
        observer(subject)


@contextmanager
def observing(observer: Observer) -> Iterator[None]:
    """Have an observer told of every verified load for as long as the block runs."""
    token = _observers.set((*_observers.get(), observer))
    try:
        yield
    finally:
        _observers.reset(token)
