"""Loaders whose modules are imported only after the guard was armed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

__all__ = ["watch_imports"]


def watch_imports(modules: frozenset[str], imported: Callable[[ModuleType], None]) -> Callable[[], None]:
    """Have ``imported`` called with each of these modules right after it was imported; returns what ends that."""
    finder = _Finder(modules, imported)
    sys.meta_path.insert(0, finder)

    def undo() -> None:
        if finder in sys.meta_path:
            sys.meta_path.remove(finder)

    return undo


class _Finder(MetaPathFinder):
    def __init__(self, modules: frozenset[str], imported: Callable[[ModuleType], None]) -> None:
        self.modules = modules
        self.imported = imported
        self.looking: set[str] = set()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module as without this finder, and have it tell when the module was run."""
        del path, target
        if fullname not in self.modules or fullname in self.looking:
            return None
        self.looking.add(fullname)
        try:
            spec = find_spec(fullname)
        finally:
            self.looking.discard(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _Telling(spec.loader, self.imported)
        return spec


class _Telling(Loader):
    """A loader that is the original one, which it gives back to the module before anybody sees it."""

    def __init__(self, original: Any, imported: Callable[[ModuleType], None]) -> None:
        self.original = original
        self.imported = imported

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """See ``importlib.abc.Loader``."""
        found: ModuleType | None = self.original.create_module(spec)
        return found

    def exec_module(self, module: ModuleType) -> None:
        """See ``importlib.abc.Loader``."""
        if module.__spec__ is not None:
            module.__spec__.loader = self.original
        module.__loader__ = self.original
        self.original.exec_module(module)
        self.imported(module)
