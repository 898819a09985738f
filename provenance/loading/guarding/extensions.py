"""``copyreg``'s extension codes, made useless: what a code stands for is in no file, and a warm cache fires no event.

A registered code leads to a name that every guard refuses, so the interpreter's cache is never filled again.
"""

from __future__ import annotations

import copyreg
from collections.abc import Callable
from typing import Any

__all__ = ["POISON", "poison", "registering", "restore"]

POISON = "provenance-extension"
_registry: dict[int, Any] = copyreg._inverted_registry  # type: ignore[attr-defined]  # noqa: SLF001
_cache: dict[int, Any] = copyreg._extension_cache  # type: ignore[attr-defined]  # noqa: SLF001


def poison() -> None:
    """Empty the cache and poison every code that is registered, also those that were registered since."""
    if _cache:
        _cache.clear()
    for code, (module, name) in list(_registry.items()):
        if module != POISON:
            _registry[code] = (POISON, f"{module}:{name}")


def registering(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return what stands in for ``add_extension`` and ``remove_extension``, which look at what a code stands for."""

    def register(*arguments: Any, **options: Any) -> Any:
        restore()
        try:
            return original(*arguments, **options)
        finally:
            poison()

    return register


def restore() -> None:
    """Give every code its meaning back."""
    for code, (module, name) in list(_registry.items()):
        if module == POISON:
            original, _, attribute = name.partition(":")
            _registry[code] = (original, attribute)
