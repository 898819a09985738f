"""What stands in for ``pickle.load``, ``pickle.loads`` and ``pickle.Unpickler`` while a guard is open.

The two functions have the reader of ``scan`` judge the very bytes that are then unpickled: an allowed name that is
used in another way, such as a class whose attributes are set, is refused as in a scan.
"""

from __future__ import annotations

import _pickle
import functools
import io
import sys
from typing import Any

from provenance.loading.guarding.active import ACTIVE
from provenance.loading.guarding.interprocess import receives
from provenance.loading.guarding.running import loading, present_load
from provenance.loading.guarding.subclasses import guard_class, guarded_load, guarded_persistent

__all__ = ["SUBSTITUTES", "Unpickler", "load", "loads"]

_load, _loads, _Unpickler = _pickle.load, _pickle.loads, _pickle.Unpickler


def load(file: Any, **options: Any) -> Any:
    """Stand in for ``pickle.load``."""
    if not ACTIVE or receives(sys._getframe(1)) or _is_proven():  # noqa: SLF001 (who unpickles)
        return _load(file, **options)
    return _judged_load(file, "pickle.load", options)


def loads(data: Any, /, **options: Any) -> Any:
    """Stand in for ``pickle.loads``."""
    if not ACTIVE or receives(sys._getframe(1)) or _is_proven():  # noqa: SLF001 (who unpickles)
        return _loads(data, **options)
    from provenance.loading.guarding.contents import judged_stream

    kept = data if type(data) is bytes else bytes(data)  # nobody may change them between the two readings
    judged_stream(io.BytesIO(kept), "", "pickle.loads", buffers=options.get("buffers") is not None)
    with loading():
        return _loads(kept, **options)


def _judged_load(file: Any, loader: str, options: dict[str, Any]) -> Any:
    from provenance.loading.guarding.contents import judged_stream

    name = getattr(file, "name", "")
    path = name if isinstance(name, str) else ""
    stream, end = judged_stream(file, path, loader, buffers=options.get("buffers") is not None)
    with loading(path):
        found = _load(stream, **options)
    if end is not None:
        file.seek(end)
    return found


def _is_proven() -> bool:
    """Whether this happens within a guarded loader, which has had the whole file judged."""
    current = present_load()
    return current is not None and current.proven


class Unpickler(_pickle.Unpickler):
    """Stands in for ``pickle.Unpickler``: classes that derive from it are under the guard from the beginning."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if ACTIVE:
            guard_class(cls)

    def __init__(self, file: Any, **options: Any) -> None:
        # Not by super(): a class that is older than the guard derives from the original, and may call this by name.
        _Unpickler.__init__(self, file, **options)
        if type(self) is Unpickler:
            self._given = file, options

    def load(self) -> Any:
        """Unpickle one object; see ``pickle.Unpickler``.

        Where no class of the program's own changes what a pickle means, it is judged as a whole before.
        """
        frame = sys._getframe(1)  # noqa: SLF001 (who unpickles)
        own = type(self) is not Unpickler or "_guarded_persistent" in self.__dict__
        if own or not ACTIVE or receives(frame) or _is_proven():
            return guarded_load(functools.partial(_Unpickler.load, self), self, frame)
        file, options = self._given
        return _judged_load(file, "pickle.Unpickler", options)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "persistent_load":
            self.__dict__["_guarded_persistent"] = True
            value = functools.partial(guarded_persistent(staticmethod(value)), self)
        _Unpickler.__setattr__(self, name, value)


# What is replaced, wherever a module holds it under a name.
SUBSTITUTES: tuple[tuple[Any, Any], ...] = ((_load, load), (_loads, loads), (_Unpickler, Unpickler))
