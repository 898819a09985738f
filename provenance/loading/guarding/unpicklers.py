"""What stands in for ``pickle.load``, ``pickle.loads`` and ``pickle.Unpickler`` while a guard is open.

The two functions have the reader of ``scan`` judge the very bytes that are then unpickled: an allowed name that is
used in another way, such as a class whose attributes are set, is refused as in a scan.
"""

from __future__ import annotations

import _pickle
import contextlib
import io
import sys
from collections.abc import Callable
from typing import Any

from provenance.loading.guarding.active import ACTIVE
from provenance.loading.guarding.interprocess import receives
from provenance.loading.guarding.running import LOADING, loading
from provenance.loading.guarding.subclasses import guard_class, guarded_load, guarded_persistent

__all__ = ["SUBSTITUTES", "Unpickler", "load", "loads"]

_load, _loads, _Unpickler = _pickle.load, _pickle.loads, _pickle.Unpickler


def load(file: Any, **options: Any) -> Any:
    """Stand in for ``pickle.load``."""
    if not ACTIVE or receives(sys._getframe(1)) or _is_proven():  # noqa: SLF001 (who unpickles)
        return _load(file, **options)
    from provenance.loading.guarding.contents import judged_stream

    name = getattr(file, "name", "")
    path = name if isinstance(name, str) else ""
    stream, end = judged_stream(file, path, "pickle.load", buffers=options.get("buffers") is not None)
    with loading(path):
        found = _load(stream, **options)
    if end is not None:
        file.seek(end)
    return found


def loads(data: Any, /, **options: Any) -> Any:
    """Stand in for ``pickle.loads``."""
    if not ACTIVE or receives(sys._getframe(1)) or _is_proven():  # noqa: SLF001 (who unpickles)
        return _loads(data, **options)
    from provenance.loading.guarding.contents import judged_stream

    kept = data if type(data) is bytes else bytes(data)  # nobody may change them between the two readings
    judged_stream(io.BytesIO(kept), "", "pickle.loads", buffers=options.get("buffers") is not None)
    with loading():
        return _loads(kept, **options)


def _is_proven() -> bool:
    """Whether this happens within a guarded loader, which has had the whole file judged."""
    current = LOADING.get()
    return current is not None and current.proven


class Unpickler(_pickle.Unpickler):
    """Stands in for ``pickle.Unpickler``: classes that derive from it are under the guard from the beginning."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if ACTIVE:
            guard_class(cls)

    def load(self) -> Any:
        """Unpickle one object; see ``pickle.Unpickler``."""
        return guarded_load(_Unpickler.load, self, sys._getframe(1))  # noqa: SLF001 (who unpickles)

    @property
    def persistent_load(self) -> Callable[[Any], Any]:
        """What resolves persistent ids, where one is set."""
        found: Callable[[Any], Any] | None = self.__dict__.get("_guarded_persistent")
        if found is None:
            raise AttributeError("persistent_load")
        return found

    @persistent_load.setter
    def persistent_load(self, function: Callable[[Any], Any]) -> None:
        guarded = guarded_persistent(function)
        self.__dict__["_guarded_persistent"] = guarded
        with contextlib.suppress(AttributeError, TypeError):  # newer Pythons look it up when they load
            _Unpickler.persistent_load.__set__(self, guarded)  # type: ignore[attr-defined]


# What is replaced, wherever a module holds it under a name.
SUBSTITUTES: tuple[tuple[Any, Any], ...] = ((_load, load), (_loads, loads), (_Unpickler, Unpickler))
