"""Rules by coordinate: blocks of columns are mixed, where a pre-aggregator asks for it, then sorted and combined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from provenance.aggregation.mixing import for_rows, mixed
from provenance.aggregation.pre.model import Mixing
from provenance.aggregation.rule import Kernel
from provenance.aggregation.scratch import scratch
from provenance.aggregation.updates import BLOCK, Floats, is_usable, refuse_unusable, widen

__all__ = ["by_coordinate"]

CACHED: Final = 6 << 20  # bytes of rows that stay near enough


def by_coordinate(
    chunk: np.ndarray[Any, Any],
    order: Sequence[int],
    mixings: Sequence[Mixing],
    selected: Sequence[int] | None,
    kernel: Kernel,
    *,
    prepared: bool = False,
) -> Floats:
    """Give a rule's result for a chunk [n, width] whose first column lies on the grid of ``BLOCK``.

    Rows are taken in ``order`` and mixed; then the kernel gets all of them, or those that were ``selected``, and the
    others are not looked at, unless they are mixed. A chunk that is ``prepared`` holds nothing but finite numbers and
    no -0, and is spent afterwards.

    Raises ``UnusableUpdateError`` for NaN and infinity.
    """
    chunk = widen(chunk)
    mixings, order = for_rows(mixings, order)
    few = None if mixings or selected is None else [order[row] for row in selected]
    result = np.empty(chunk.shape[1])
    width = min(2 * BLOCK, max(1024, CACHED // chunk[:, :1].nbytes // 1024 * 1024))
    for first in range(0, chunk.shape[1], BLOCK if mixings else width):
        block: Any = chunk[:, first : first + (BLOCK if mixings else width)]
        block = mixed(block, mixings) if mixings else block
        for start in range(0, block.shape[1], width):
            part = block[:, start : start + width]
            if mixings:
                part = np.add(part, part.dtype.type(0), out=part)
            elif not prepared:
                part = _prepared(part, few or range(len(part)))
            rows = list(part) if few else [part[row] for row in order]
            rows = rows if few or selected is None else [rows[row] for row in selected]
            result[first + start : first + start + part.shape[1]] = kernel(rows)
    return result


def _prepared(part: Any, rows: Sequence[int]) -> Any:
    """Copy rows of a part, with +0 for -0; refuse what no sum should see."""
    copy = scratch("rows", (len(rows), part.shape[1]), part.dtype)
    for row, place in zip(rows, copy, strict=True):
        np.add(part[row], part.dtype.type(0), out=place)
    if not is_usable(float(copy.min()), float(copy.max())):
        refuse_unusable(copy)
    return copy
