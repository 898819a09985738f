"""Subclasses of the unpicklers: their ``find_class`` and ``persistent_load`` answer to the guard before they answer.

A ``find_class`` that resolves names itself fires no event, and neither does a persistent id. The classes stay as they
are but for these methods, which are given back when the last guard is left.
"""

from __future__ import annotations

import _pickle
import pickle
import sys
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from policies import finding
from provenance.loading.guarding.active import ACTIVE, obeyed
from provenance.loading.guarding.interprocess import receives
from provenance.loading.guarding.refusing import check_name, check_persistent, refuse
from provenance.loading.guarding.running import loading, present_load

__all__ = ["guard_class", "guard_subclasses", "guarded_load", "guarded_persistent", "restore_subclasses"]

_BASES: tuple[type, ...] = (_pickle.Unpickler, pickle._Unpickler)  # noqa: SLF001
_IN_PYTHON = _BASES[1]
_PLAIN = tuple(
    vars(base)[name] for base in _BASES for name in ("find_class", "persistent_load") if name in vars(base)
)
_OWN = "provenance.loading.guarding.unpicklers"
_OURS = (__file__, __file__.replace("subclasses", "unpicklers"))
_MISSING = object()
_done: weakref.WeakSet[type] = weakref.WeakSet()
_changed: list[tuple[weakref.ref[type], str, Any]] = []


def guard_subclasses() -> None:
    """Bring every class that derives from an unpickler under the guard, once."""
    if _IN_PYTHON not in _done:
        _done.add(_IN_PYTHON)
        _put(_IN_PYTHON, "load", _with_loading(vars(_IN_PYTHON)["load"]))
    for base in _BASES:
        for cls in _derived(base):
            if cls not in _done and cls.__module__ != _OWN:
                guard_class(cls)


def _derived(base: type) -> Iterator[type]:
    found: list[type] = base.__subclasses__()
    for cls in found:
        yield cls
        yield from _derived(cls)


def guard_class(cls: type) -> None:
    """Wrap what a class, or another that it inherits from, puts in the place of the unpickler's own methods."""
    _done.add(cls)
    for name, wrap in (
        ("find_class", _with_check),
        ("persistent_load", guarded_persistent),
        ("load", _with_loading),
    ):
        found = next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)
        if found is None or _is_wrapped(found) or (found in _PLAIN and name != "load"):
            continue
        _put(cls, name, wrap(found))


def _is_wrapped(method: Any) -> bool:
    """Whether a method is one of ours: of this module, or of the class that stands in for the unpickler."""
    code = getattr(method, "__code__", None)
    return code is not None and code.co_filename in _OURS


def _bound(method: Any, instance: Any) -> Callable[..., Any]:
    """What ``instance.method`` would give, for a function, a static or class method or any other callable."""
    bind = getattr(type(method), "__get__", None)
    found: Callable[..., Any] = bind(method, instance, type(instance)) if bind else method
    return found


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


def _with_check(original: Any) -> Callable[..., Any]:
    def find_class(self: Any, module: str, name: str) -> Any:
        if ACTIVE and not receives(sys._getframe(1)):  # noqa: SLF001 (who unpickles)
            check_name(str(module), str(name))
        return _bound(original, self)(module, name)

    return find_class


def guarded_persistent(original: Any) -> Callable[..., Any]:
    """Wrap a ``persistent_load`` of a class: what it gives is checked, whatever the pickle asked for."""

    def persistent_load(self: Any, pid: Any) -> Any:
        value = _bound(original, self)(pid)
        if ACTIVE and not receives(sys._getframe(1)):  # noqa: SLF001 (who unpickles)
            check_persistent(value)
        return value

    return persistent_load


def _with_loading(original: Any) -> Callable[..., Any]:
    def load(self: Any) -> Any:
        return guarded_load(_bound(original, self), self, sys._getframe(1))  # noqa: SLF001 (who unpickles)

    return load


def guarded_load(original: Callable[[], Any], unpickler: Any, frame: Any) -> Any:
    """Run an unpickler's ``load`` with the net beneath it; refused at once where the policy accepts no pickle.

    What an unpickler of the program's own makes of a file cannot be judged before: names are judged as they come.
    """
    if not ACTIVE or receives(frame):
        return original()
    current = present_load()
    if current is not None and current.proven:
        return original()
    for guard in obeyed():
        if guard.terms.policy.formats.pickle != "allowlist":
            refuse(guard, finding("PKL001", "a pickle is loaded, and the policy accepts none"))
    with loading():
        return _judged_first(original, unpickler) if type(unpickler) is _IN_PYTHON else original()


def _judged_first(original: Callable[[], Any], unpickler: Any) -> Any:
    """The unpickler in Python: it is given the bytes that were judged."""
    from provenance.loading.guarding.contents import judged_stream

    names = ("_file_read", "_file_readline", "_file_readinto")
    before = {name: vars(unpickler)[name] for name in names if name in vars(unpickler)}
    file = getattr(before.get("_file_read"), "__self__", None)
    stream, end = judged_stream(file, "", "pickle._Unpickler", buffers=unpickler._buffers is not None)  # noqa: SLF001
    if end is None and stream is file:
        return original()
    vars(unpickler).update(
        _file_read=stream.read, _file_readline=stream.readline, _file_readinto=stream.readinto
    )
    try:
        return original()
    finally:
        vars(unpickler).update(before)
        if end is not None and file is not None:
            file.seek(end)
