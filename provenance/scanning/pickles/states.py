"""States that BUILD sets as attributes: which names an attacker may not set.

The next BUILD calls an attribute ``__setstate__`` if there is one, and in the second part of a state names reach
setters, ``__class__`` and ``__dict__`` among them (``Lib/pickle.py``: load_build).
"""

from __future__ import annotations

from typing import Any

from provenance.scanning.pickles.values import Dict

__all__ = ["attribute_fault"]


def attribute_fault(state: Any) -> str:
    """What is wrong with a state of attributes, or empty; its dicts are watched from now on."""
    for part in state if isinstance(state, tuple) and len(state) == 2 else (state,):
        if isinstance(part, Dict):
            if part.special:
                return f"with the attribute {part.special}"
            part.used = True
    return ""
