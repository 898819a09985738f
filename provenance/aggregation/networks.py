"""Sorting networks: the coordinates of a block sorted over the rows by minima and maxima of whole rows.

Batcher's odd-even merge exchange (Knuth, The Art of Computer Programming, vol. 3, 5.2.2, algorithm M) for any n,
without the comparisons on which no wanted output depends.
"""

from __future__ import annotations

from collections.abc import Collection
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
    """Walk the network backwards: keep what changes a wanted value, and drop exchanges within a set."""
    group = {wire: index for index, each in enumerate(sets) for wire in each}
    live = set(wanted) | set(group)
    kept = []
    for low, high in reversed(_merge_exchange(n)):
        if low not in live and high not in live:
            continue
        if low in group and high in group and group[low] == group[high]:
            continue  # which of the two holds which makes no difference from here on
        kept.append((low, high, low in live, high in live))
        live |= {low, high}
        group.pop(low, None)
        group.pop(high, None)
    return tuple(reversed(kept))


def _merge_exchange(n: int) -> list[tuple[int, int]]:
    pairs = []
    top = 1 << max(0, (n - 1).bit_length() - 1)
    p = top
    while p > 0:
        q, r, d = top, 0, p
        while True:
            pairs += [(i, i + d) for i in range(n - d) if i & p == r]
            if q == p:
                break
            d, q, r = q - p, q // 2, p
        p //= 2
    return pairs


def run(comparators: list[Comparator], rows: list[Any], spare: Any) -> None:
    """Sort rows in place; the list is rearranged, and ``spare`` (a row) ends up somewhere in it.

    Rows hold no NaN, and no -0, which ``np.minimum`` may or may not tell from +0.
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
