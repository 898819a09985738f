"""The second pass of rules in Gram space: the weighted sum of rows, in one order, rounded once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from provenance.aggregation.rule import Combination
from provenance.aggregation.updates import BLOCK, Floats, is_usable, refuse_unusable, widen

__all__ = ["combined"]


def combined(
    chunk: np.ndarray[Any, Any], order: Sequence[int], combination: Combination, *, checked: bool
) -> Floats:
    """Give the sum of weights[k] times row order[k] of a chunk [n, width], over the divisor.

    Rows of weight zero are not looked at, unless they were not ``checked`` before: then raises
    ``UnusableUpdateError`` for NaN and infinity.
    """
    chunk = widen(chunk)
    result = np.zeros(chunk.shape[1])
    rows = [(row, weight) for row, weight in zip(order, combination.weights.tolist(), strict=True) if weight]
    for first in range(0, chunk.shape[1], BLOCK):
        block = chunk[:, first : first + BLOCK]
        if not checked and not is_usable(float(block.min()), float(block.max())):
            refuse_unusable(block)
        _add_rows(block, rows, result[first : first + BLOCK])
    if combination.divisor != 1:
        result /= combination.divisor
    return result


def _add_rows(block: Any, rows: Sequence[tuple[int, float]], result: Floats) -> None:
    term = np.empty(block.shape[1])
    for row, weight in rows:
        if weight == 1:
            result += block[row]
        else:
            np.copyto(term, block[row])
            term *= weight
            result += term
