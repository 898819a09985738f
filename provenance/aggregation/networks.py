"""Sorting networks: the coordinates of a block sorted over the rows by minima and maxima of whole rows.

The pairwise sorting network (Parberry 1992, Parallel Processing Letters 2) for any n, without the comparisons on
which no wanted output depends: of these it has more than Batcher's, where a few middle values are wanted.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

__all__ = ["network", "run"]

Comparator = tuple[int, int, bool, bool]
"""Two wires, and whether the smaller value on the first and the larger on the second are wanted."""


def network(
    n: int, sorted_wires: Collection[int], sets: Collection[Collection[int]] = ()
) -> list[Comparator]:
    """Give comparators after which ``sorted_wires`` hold the values of these ranks, and each set of wires those of its.

    Within a set (disjoint from the others, its ranks consecutive) the values may be in any order.
    """
    return list(_network(n, frozenset(sorted_wires), tuple(frozenset(each) for each in sets)))


@lru_cache(maxsize=64)
def _network(n: int, wanted: frozenset[int], sets: tuple[frozenset[int], ...]) -> tuple[Comparator, ...]:
    """Take n wires out of a network for a power of two, the first or those after it, whichever costs less.

    The wires left out would hold values beyond all others, which stay where they are.
    """
    size = 1 << (n - 1).bit_length()
    whole = _pairwise(range(size))
    found = []
    for first in range(min(2, size - n + 1)):
        pairs = [(low - first, high - first) for low, high in whole if low >= first and high < first + n]
        found.append(_needed(pairs, wanted, sets))
    return min(found, key=_cost)


def _pairwise(wires: Sequence[int]) -> list[tuple[int, int]]:
    """Sort each two neighbours, then the lower of all pairs and the higher of all pairs, then merge both."""
    if len(wires) < 2:
        return []
    lower, higher = wires[::2], wires[1::2]
    pairs = [*zip(lower, higher, strict=True), *_pairwise(lower), *_pairwise(higher)]
    step = len(lower) // 2
    while step:
        pairs += zip(higher[:-step], lower[step:], strict=True)
        step //= 2
    return pairs


def _needed(
    pairs: Sequence[tuple[int, int]], wanted: Collection[int], sets: Sequence[Collection[int]]
) -> tuple[Comparator, ...]:
    """Walk the network backwards: keep what changes a wanted value, and drop exchanges within a set."""
    group = {wire: index for index, each in enumerate(sets) for wire in each}
    live = set(wanted) | set(group)
    kept = []
    for low, high in reversed(pairs):
        if low not in live and high not in live:
            continue
        if low in group and high in group and group[low] == group[high]:
            continue  # which of the two holds which makes no difference from here on
        kept.append((low, high, low in live, high in live))
        live |= {low, high}
        group.pop(low, None)
        group.pop(high, None)
    return tuple(reversed(kept))


def _cost(comparators: Sequence[Comparator]) -> int:
    return sum(smaller + larger for _, _, smaller, larger in comparators)


def run(comparators: list[Comparator], rows: list[Any], spare: Any) -> None:
    """Sort rows in place; the list is rearranged, and ``spare`` (a row) ends up somewhere in it.

    Rows hold no NaN. ``np.minimum`` may or may not tell -0 from +0: where the sign matters, rows hold no -0.
    """
    for low, high, smaller, larger in comparators:
        a, b = rows[low], rows[high]
        if smaller and larger:
            np.minimum(a, b, out=spare)
            np.maximum(a, b, out=b)
            rows[low], spare = spare, a
        elif smaller:
            np.minimum(a, b, out=a)
        else:
            np.maximum(a, b, out=b)
