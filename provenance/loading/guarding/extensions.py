"""``copyreg``'s extension codes, made useless: what a code stands for is in no file, and a warm cache fires no event.

A registered code leads to a name that every guard refuses, so the interpreter's cache is never filled again.
"""

from __future__ import annotations

import copyreg
from typing import Any

__all__ = ["POISON", "poison", "restore"]

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


def restore() -> None:
    """Give every code its meaning back."""
    for code, (module, name) in list(_registry.items()):
        if module == POISON:
            original, _, attribute = name.partition(":")
            _registry[code] = (original, attribute)
