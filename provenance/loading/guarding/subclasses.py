"""Subclasses of the unpicklers: their ``find_class`` and ``persistent_load`` answer to the guard before they answer.

A ``find_class`` that resolves names itself fires no event, and neither does a persistent id. The classes stay as they
are but for these methods, which are given back when the last guard is left.
"""

from __future__ import annotations

import _pickle
import functools
import pickle
import sys
import weakref
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

from policies import finding
from provenance.loading.guarding.active import ACTIVE, obeyed
from provenance.loading.guarding.interprocess import receives
from provenance.loading.guarding.refusing import check_name, check_persistent, refuse
from provenance.loading.guarding.running import LOADING, loading

__all__ = ["guard_class", "guard_subclasses", "guarded_load", "guarded_persistent", "restore_subclasses"]

_BASES: tuple[type, ...] = (_pickle.Unpickler, pickle._Unpickler)  # noqa: SLF001
_OWN = "provenance.loading.guarding.unpicklers"
_MISSING = object()
_done: weakref.WeakSet[type] = weakref.WeakSet()
_changed: list[tuple[weakref.ref[type], str, Any]] = []


def guard_subclasses() -> None:
    """Bring every class that derives from an unpickler under the guard, once."""
    for base in _BASES:
        for cls in _derived(base):
            if cls not in _done and cls.__module__ != _OWN:
                guard_class(cls)
    if _BASES[1] not in _done:
        _done.add(_BASES[1])
        _put(_BASES[1], "load", _with_loading(_BASES[1].load))  # type: ignore[attr-defined]


def _derived(base: type) -> Iterator[type]:
    found: list[type] = base.__subclasses__()
    for cls in found:
        yield cls
        yield from _derived(cls)


def guard_class(cls: type) -> None:
    """Wrap what a class itself defines of ``find_class``, ``persistent_load`` and ``load``."""
    _done.add(cls)
    own = vars(cls)
    if isinstance(own.get("find_class"), FunctionType):
        _put(cls, "find_class", _with_check(own["find_class"]))
    if isinstance(own.get("persistent_load"), FunctionType):
        _put(cls, "persistent_load", guarded_persistent(own["persistent_load"]))
    if isinstance(own.get("load"), FunctionType):
        _put(cls, "load", _with_loading(own["load"]))
    elif _pickle.Unpickler in cls.__bases__:
        _put(cls, "load", _with_loading(_pickle.Unpickler.load))


def restore_subclasses() -> None:
    """Give every class its methods back."""
    while _changed:
        reference, name, original = _changed.pop()
        cls = reference()
        if cls is None:
            continue
        if original is _MISSING:
            delattr(cls, name)
        else:
            setattr(cls, name, original)
    _done.clear()


def _put(cls: type, name: str, method: Any) -> None:
    _changed.append((weakref.ref(cls), name, vars(cls).get(name, _MISSING)))
    setattr(cls, name, method)


def _with_check(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def find_class(self: Any, module: str, name: str) -> Any:
        if ACTIVE and not receives(sys._getframe(1)):  # noqa: SLF001 (who unpickles)
            check_name(str(module), str(name))
        return original(self, module, name)

    return find_class


def guarded_persistent(original: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a ``persistent_load``: what it gives is checked, whatever the pickle asked for."""

    @functools.wraps(original)
    def persistent_load(*arguments: Any) -> Any:
        value = original(*arguments)
        if ACTIVE and not receives(sys._getframe(1)):  # noqa: SLF001 (who unpickles)
            check_persistent(value)
        return value

    return persistent_load


def _with_loading(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def load(self: Any) -> Any:
        return guarded_load(original, self, sys._getframe(1))  # noqa: SLF001 (who unpickles)

    return load


def guarded_load(original: Callable[..., Any], unpickler: Any, frame: Any) -> Any:
    """Run an unpickler's ``load`` with the net beneath it; refused at once where the policy accepts no pickle.

    What an unpickler of the program's own makes of a file cannot be scanned before: names are judged as they come.
    """
    if not ACTIVE or receives(frame):
        return original(unpickler)
    current = LOADING.get()
    if current is not None and current.proven:
        return original(unpickler)
    for guard in obeyed():
        if guard.terms.policy.formats.pickle != "allowlist":
            refuse(guard, finding("PKL001", "a pickle is loaded, and the policy accepts none"))
    with loading():
        return original(unpickler)
