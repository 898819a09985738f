"""How much a value unfolds to: what is shared through the memo counts as often as it is reached.

A few hundred bytes can describe a structure that takes longer than the universe to hash, compare, copy or print;
loaders do the first of these for every key.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from provenance.scanning.pickles.machine import Machine
from provenance.scanning.pickles.values import Dict, List, Loose, Made, Set

__all__ = ["CONTAINERS", "remember", "weigh"]

_MOST: Final = 1 << 40  # values; more than any file lists one by one
_TUPLES = (tuple, Loose)
CONTAINERS: frozenset[type] = frozenset((*_TUPLES, List, Dict, Set, Made))


def weigh(machine: Machine, items: Iterable[Any]) -> int:
    """How many values these unfold to, up to a bound that is reported (PKL010)."""
    total = 0
    for item in items:
        kind = type(item)
        if kind in _TUPLES:
            found = machine.shared.get(id(item))
            total += found[1] if found else len(item) + 1
        else:
            total += item.weight if kind in CONTAINERS else 1
    if total > _MOST:
        machine.refuse("PKL010", "values are nested and shared so that they unfold beyond all bounds")
        return _MOST
    return total


def remember(machine: Machine, made: tuple[Any, ...]) -> None:
    """Keep the weight of a tuple with containers in it; others weigh what they have items."""
    if not CONTAINERS.isdisjoint(map(type, made)):
        machine.shared[id(made)] = (made, weigh(machine, made) + 1)
