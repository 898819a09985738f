"""Arming and disarming this process: what stands in for loaders is there while any guard is open, and no longer."""

from __future__ import annotations

import copyreg
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

from provenance.loading.guarding.active import ACTIVE, Guarding
from provenance.loading.guarding.extensions import poison, registering, restore
from provenance.loading.guarding.hook import install
from provenance.loading.guarding.importing import watch_imports
from provenance.loading.guarding.loader_table import LOADERS, Loader
from provenance.loading.guarding.loaders import guarded
from provenance.loading.guarding.preparation import with_guards
from provenance.loading.guarding.replacing import (
    Replacement,
    replace_code,
    replace_names,
    replaceable,
    standing_in,
)
from provenance.loading.guarding.subclasses import guard_subclasses, restore_subclasses
from provenance.loading.guarding.unpicklers import SUBSTITUTES

__all__ = ["arm", "disarm"]

_PREPARING = ("multiprocessing.spawn", "multiprocess.spawn")
_lock = threading.RLock()
_undo: list[Replacement] = []


def arm(guard: Guarding) -> None:
    """Open a guard. Raises ``Undecided`` (GRD006) where the hook is kept out; then nothing was changed."""
    with _lock:
        ACTIVE.append(guard)
        try:
            install()
        except BaseException:
            ACTIVE.remove(guard)
            raise
        if len(ACTIVE) == 1:
            _replace()


def disarm(guard: Guarding) -> None:
    """Close a guard, and give everything back where it was the last one."""
    with _lock:
        guard.open = False
        ACTIVE.remove(guard)
        if ACTIVE:
            return
        while _undo:
            _undo.pop()()
        restore_subclasses()
        restore()


def _replace() -> None:
    poison()
    guard_subclasses()
    _undo.append(replace_names(SUBSTITUTES))
    _undo.extend(
        replace_code(each, registering) for each in (copyreg.add_extension, copyreg.remove_extension)
    )
    modules = frozenset((*(loader.module for loader in LOADERS), *_PREPARING))
    _undo.append(watch_imports(modules, _imported))
    for module in modules:
        if module in sys.modules:
            _imported(sys.modules[module])


def _imported(module: ModuleType) -> None:
    """Put the guard in the place of the loaders of a module."""
    with _lock:
        if module.__name__ in _PREPARING and ACTIVE:
            _undo.append(replace_code(module.get_preparation_data, with_guards))
        for loader in LOADERS:
            if loader.module == module.__name__ and ACTIVE:
                _replace_loader(module, loader)


def _replace_loader(module: ModuleType, loader: Loader) -> None:
    holder: Any = module
    *outer, name = loader.function.split(".")
    for part in outer:
        holder = getattr(holder, part, None)
    found = getattr(holder, name, None)
    if found is None:
        return

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        return guarded(loader, original)

    if replaceable(found):
        _undo.append(replace_code(found, make))
    elif isinstance(holder, type):
        _undo.append(_set(holder, name, make(found)))
    else:
        substitute = standing_in(found, make(found)) if isinstance(found, type) else make(found)
        _undo.append(replace_names([(found, substitute)]))


def _set(holder: type, name: str, substitute: Any) -> Replacement:
    original = getattr(holder, name)
    setattr(holder, name, substitute)
    return lambda: setattr(holder, name, original)
