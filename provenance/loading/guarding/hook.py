"""The audit hook: every name that is unpickled and every act of running code within a load comes by here.

Python cannot remove a hook. Where no guard is open this one returns after one comparison.
"""

from __future__ import annotations

import sys
import threading
from types import FrameType
from typing import Any

from policies import finding
from provenance.errors import Undecided
from provenance.loading.guarding.active import ACTIVE, obeyed
from provenance.loading.guarding.extensions import POISON, poison
from provenance.loading.guarding.interprocess import receives
from provenance.loading.guarding.refusing import check_name, note, refuse
from provenance.loading.guarding.running import EVENTS, acts, present_load
from provenance.loading.guarding.starting import STARTS, unreached
from provenance.loading.guarding.subclasses import guard_subclasses

__all__ = ["install"]

_TEST = "provenance.guard.test"
_HANDLED = EVENTS | {"pickle.find_class", "import", "cpython.PyInterpreterState_New", _TEST}
_busy = threading.local()
_arrived: list[object] = []
_installed: list[bool] = []


def install() -> None:
    """Install the hook, once, and prove that it is there; raises ``Undecided`` (GRD006) where it is not.

    A hook that was installed earlier can keep another one out without a sound.
    """
    if not _installed:
        sys.addaudithook(_hook)
    token = object()
    sys.audit(_TEST, token)
    if not _arrived or _arrived.pop() is not token:
        raise Undecided(
            "the guard cannot be armed: an audit hook that was installed earlier keeps it out", code="GRD006"
        )
    _arrived.clear()
    if not _installed:
        _installed.append(True)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not ACTIVE and event != _TEST:
        return
    if event not in _HANDLED or getattr(_busy, "on", False):
        return
    if event == _TEST:
        _arrived.append(arguments[0])
        return
    _busy.on = True
    try:
        _handle(event, arguments, sys._getframe().f_back)  # noqa: SLF001 (the code that caused the event)
    finally:
        _busy.on = False


def _handle(event: str, arguments: tuple[Any, ...], frame: FrameType | None) -> None:
    if event == "pickle.find_class":
        module, name = arguments
        if module == POISON or not receives(frame):
            check_name(str(module), str(name))
        return
    if event == "cpython.PyInterpreterState_New":
        refuse(obeyed()[0], finding("GRD005", "an interpreter of its own is made, which no hook reaches"))
    if event in STARTS and (said := unreached(event, arguments)):
        note(obeyed()[0], finding("GRD005", said))
    if event in ("open", "import"):
        poison()
        guard_subclasses()
    current = present_load()
    if current is not None and current.net and event in EVENTS and acts(event, arguments, frame):
        refuse(obeyed()[0], finding("GRD001", f"while it is loaded, there is {_described(event, arguments)}"))


def _described(event: str, arguments: tuple[Any, ...]) -> str:
    """The event and its first argument, where that is plain text."""
    first = arguments[0] if arguments else None
    if isinstance(first, bytes):
        first = first.decode("utf-8", "backslashreplace")
    said = f" of {first[:80]!a}" if isinstance(first, str) else ""
    return f"the event {event}{said}"
