"""The audit hook: every name that is unpickled and every act of running code within a load comes by here.

Python cannot remove a hook. Where no guard is open this one returns after one comparison.
"""

from __future__ import annotations

import sys
import threading
from _pickle import loads as _loads
from types import FrameType
from typing import Any

from policies import Finding, finding
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
_INTERPRETER = "cpython.PyInterpreterState_New"
_HANDLED = EVENTS | {"pickle.find_class", "import", _INTERPRETER}
_busy = threading.local()
_installed: list[bool] = []


def install() -> None:
    """Install the hook, once, and prove that it is asked about what is unpickled.

    A hook that was installed earlier can keep another one out without a sound, and an interpreter may have no such
    events at all: raises ``Undecided`` (GRD006).
    """
    try:
        if not _installed:
            sys.addaudithook(_hook)
        _loads(b"c" + _TEST.encode() + b"\n" + _TEST.encode() + b"\n.")
        arrived = False
    except _Arrived:
        arrived = True
    except Exception:  # noqa: BLE001 (whatever another hook raises)
        arrived = False
    if not arrived:
        said = "the guard cannot be armed: an audit hook that was installed earlier keeps it out"
        raise Undecided(said, code="GRD006")
    if not _installed:
        _installed.append(True)


class _Arrived(Exception):
    """The hook was asked about the name that nothing but its test unpickles."""


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not ACTIVE or event not in _HANDLED or getattr(_busy, "on", False):
        return
    _busy.on = True
    try:
        _handle(event, arguments, sys._getframe().f_back)  # noqa: SLF001 (the code that caused the event)
    finally:
        _busy.on = False


def _handle(event: str, arguments: tuple[Any, ...], frame: FrameType | None) -> None:
    if event == "pickle.find_class":
        module, name = arguments
        if module == _TEST:
            raise _Arrived
        if module == POISON or not receives(frame):
            check_name(str(module), str(name))
        return
    if event in STARTS and (said := unreached(event, arguments)):
        _note(finding("GRD005", said))
    if event == _INTERPRETER:  # CPython 3.12 does not survive a hook that stops it
        _note(
            finding(
                "GRD005", "a second interpreter is made in this process, which no hook of this one reaches"
            )
        )
    if event in ("open", "import"):
        poison()
        guard_subclasses()
    current = present_load()
    if current is not None and current.net and event in EVENTS and acts(event, arguments, frame):
        _stop(finding("GRD001", f"while it is loaded, there is {_described(event, arguments)}"))


def _note(found: Finding) -> None:
    """Write down for every guard that is obeyed here what is not stopped."""
    for guard in obeyed():
        note(guard, found)


def _stop(found: Finding) -> None:
    """Refuse what no policy can allow; every guard that is obeyed here writes it down."""
    first, *others = obeyed()
    for guard in others:
        note(guard, found)
    refuse(first, found)


def _described(event: str, arguments: tuple[Any, ...]) -> str:
    """The event and its first argument, where that is plain text."""
    first = arguments[0] if arguments else None
    if isinstance(first, bytes):
        first = first.decode("utf-8", "backslashreplace")
    said = f" of {first[:80]!a}" if isinstance(first, str) else ""
    return f"the event {event}{said}"
