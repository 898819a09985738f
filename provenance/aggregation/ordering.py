"""An order of rows by what they hold: results do not depend on the order in which updates come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from provenance.aggregation.updates import Updates, widen

__all__ = ["content_order"]

FIRST: Final = 256
MOST: Final = 1 << 20  # columns that are looked at; rows that agree in all of them keep their order


def content_order(updates: Updates, rights: Sequence[float] | None = None) -> list[int]:
    """Sort the rows by the bytes of their first columns that differ, then by voting right, then by row.

    Sums run in this order, for floating-point addition is not associative.
    """
    keys = [b""] * updates.n
    start, width = 0, FIRST
    while start < min(updates.d, MOST) and len(set(keys)) < updates.n:
        stop = min(start + width, updates.d)
        chunk = widen(updates.chunks(start, stop)) + np.float32(0)  # -0 becomes +0
        keys = _extended(keys, [row.tobytes() for row in chunk])
        start, width = stop, min(4 * width, 65536)
    weight = [0.0] * updates.n if rights is None else [float(right) for right in rights]
    return sorted(range(updates.n), key=lambda row: (keys[row], weight[row], row))


def _extended(keys: list[bytes], more: list[bytes]) -> list[bytes]:
    """Tell rows apart that were alike so far, by more of their bytes; what is known is kept as a rank."""
    pairs = list(zip(keys, more, strict=True))
    rank = {pair: index for index, pair in enumerate(sorted(set(pairs)))}
    return [rank[pair].to_bytes(4, "big") for pair in pairs]
