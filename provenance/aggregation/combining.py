"""The second pass of rules in Gram space: the weighted sum of rows, in one order, rounded once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from provenance.aggregation.rule import Combination
from provenance.aggregation.scratch import scratch
from provenance.aggregation.updates import BLOCK, Floats, is_usable, refuse_unusable, widen

__all__ = ["combined"]

CACHED: Final = 8 << 20  # bytes of terms that stay near enough


def combined(
    chunk: np.ndarray[Any, Any], order: Sequence[int], combination: Combination, *, checked: bool
) -> Floats:
    """Give the sum of weights[k] times row order[k] of a chunk [n, width], over the divisor.

    Rows of weight zero are not looked at, unless they were not ``checked`` before: then raises
    ``UnusableUpdateError`` for NaN and infinity.
    """
    chunk = widen(chunk)
    result = np.empty(chunk.shape[1])
    rows = [(row, weight) for row, weight in zip(order, combination.weights.tolist(), strict=True) if weight]
    width = min(BLOCK, max(1024, CACHED // (8 * len(rows) + 8)))
    for first in range(0, chunk.shape[1], width):
        block = chunk[:, first : first + width]
        if not checked and not is_usable(float(block.min()), float(block.max())):
            refuse_unusable(block)
        _sum(block, rows, result[first : first + width])
    if combination.divisor != 1:
        result /= combination.divisor
    return result


def _sum(block: Any, rows: Sequence[tuple[int, float]], result: Floats) -> None:
    """Add weighted rows one after the other: over an axis that is not the last, numpy does; a test holds it to that."""
    if all(weight == 1 for _, weight in rows):
        result[:] = 0.0
        for row, _ in rows:
            result += block[row]
        return
    width = max(2, len(result))  # of a single column it would add in pairs
    terms = scratch("terms", (len(rows), width), np.float64)
    for term, (row, _) in zip(terms, rows, strict=True):
        np.copyto(term[: len(result)], block[row])
    terms[:, len(result) :] = 0.0
    terms *= np.array([weight for _, weight in rows])[:, None]
    sums = np.add.reduce(terms, axis=0, initial=0.0, out=scratch("sum", (width,), np.float64))
    result[:] = sums[: len(result)]
