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
from provenance.aggregation.weights import Counts, Sample, Tally

__all__ = ["by_coordinate"]

CACHED: Final = 6 << 20  # bytes of rows that stay near enough


def by_coordinate(  # noqa: PLR0913 (one call a range, from one place)
    chunk: np.ndarray[Any, Any],
    column: int,
    order: Sequence[int],
    mixings: Sequence[Mixing],
    selected: Sequence[int] | None,
    kernel: Kernel,
    *,
    prepared: bool = False,
    sample: Sample | None = None,
) -> tuple[Floats, Counts]:
    """Give a rule's result for a chunk [n, width] whose first ``column`` lies on the grid of ``BLOCK``.

    Rows are taken in ``order`` and mixed; then the kernel gets all of them, or those that were ``selected``, and the
    others are not looked at, unless they are mixed. A chunk that is ``prepared`` holds nothing but finite numbers, and
    is spent afterwards.

    With it comes the weight of each of the kernel's rows in the columns of the ``sample``; zeros without one. Raises
    ``UnusableUpdateError`` for NaN and infinity.
    """
    chunk = widen(chunk)
    mixings, order = for_rows(mixings, order)
    taken = list(order) if selected is None else [order[row] for row in selected]
    few = taken if selected is not None and not mixings else None
    result = np.empty(chunk.shape[1])
    tally = Tally(range(len(few)) if few else taken, kernel.rights)
    # Of single numbers no rule makes a result so small that it is a zero which is none. So it is enough to put +0 for
    # the -0 of a result; else the rows have to have none. Adding -0 changes nothing.
    zero = 0.0 if chunk.dtype == np.float32 else -0.0
    width = min(2 * BLOCK, max(1024, CACHED // chunk[:, :1].nbytes // 1024 * 1024))
    for first in range(0, chunk.shape[1], BLOCK if mixings else width):
        block: Any = chunk[:, first : first + (BLOCK if mixings else width)]
        block = mixed(block, mixings) if mixings else block
        for start in range(0, block.shape[1], width):
            part = block[:, start : start + width]
            if mixings and part.dtype == np.float64:
                part += 0.0
            elif not mixings and not prepared:
                part = _prepared(part, few or range(len(part)))
            rows = list(part) if few else [part[row] for row in taken]
            place = first + start
            windows = sample.windows(column + place, part.shape[1]) if sample else ()
            before = [part[:, window].copy() for window in windows]
            np.add(kernel.combine(rows), zero, out=result[place : place + part.shape[1]])
            for window, values in zip(windows, before, strict=True):
                tally.add(values, [rows[rank][window] for rank in kernel.kept])
    return result, tally.total()


def _prepared(part: Any, rows: Sequence[int]) -> Any:
    """Copy rows of a part, with +0 for -0; refuse what no sum should see."""
    copy = scratch("rows", (len(rows), part.shape[1]), part.dtype)
    for row, place in zip(rows, copy, strict=True):
        np.add(part[row], part.dtype.type(0), out=place)
    if not is_usable(float(copy.min()), float(copy.max())):
        refuse_unusable(copy)
    return copy
