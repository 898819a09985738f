"""The Gram matrix of updates in exact integers: partial ones add up in any order to the same bits.

In each block of 16,384 columns every row is moved by a centre and rounded to 19-bit integers on a power-of-two
grid of its own. All products and sums then stay within 2^53, so that a BLAS in float64 makes no error, whatever
its order. Where two rows lie so close together, against their distance from the centre, that 19 bits would not
tell their distance to 1e-6, the block is done again with a second limb of 19 bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from provenance.aggregation.scratch import scratch
from provenance.aggregation.updates import BLOCK, Updates, refuse_unusable, widen

__all__ = ["GramBlock", "choose_centre", "gram_block"]

BITS: Final = 19
LIMB: Final = 2.0**BITS

# With the squared distance of two rows at least 64 squared grid ranges, rounding moves it by 2e-7 at most (rms).
CLOSE: Final = 64.0 * LIMB * LIMB

# Rows that are multiplied at once by all below, multiplications below which no known BLAS starts threads, and
# numbers that stay near enough. Long calls leave Python to other threads.
GROUP: Final = 8
ONE_THREAD: Final = 1 << 18
CACHED: Final = 1 << 19

# 512 blocks of sums below 2^53 fit into an int64.
MOST_BLOCKS: Final = 512

Integers = np.ndarray[tuple[int, int], Any]


@dataclass(frozen=True)
class GramBlock:
    """The sum over ``blocks`` blocks of columns: 2**exponent times integers [n, n], for each exponent in ``parts``.

    The integers are int64 while they are sure to fit, else Python's own. Adding is exact, so any order will do.
    """

    blocks: int
    parts: dict[int, Integers]

    def __add__(self, other: GramBlock) -> GramBlock:
        """Add two sums over different columns."""
        blocks = self.blocks + other.blocks
        parts = {key: _safe(values, blocks) for key, values in self.parts.items()}
        for key, values in other.parts.items():
            grown = _safe(values, blocks)
            parts[key] = parts[key] + grown if key in parts else grown
        return GramBlock(blocks, parts)

    def integers(self) -> tuple[int, Integers]:
        """Give one exponent and Python integers [n, n]: the matrix is 2**exponent times them."""
        lowest = min(self.parts)
        whole: Any = 0
        for exponent, values in sorted(self.parts.items()):
            whole = whole + values.astype(object) * (1 << (exponent - lowest))
        return lowest, whole


def _safe(values: Integers, blocks: int) -> Integers:
    return values.astype(object) if blocks > MOST_BLOCKS and values.dtype != object else values


def gram_block(updates: Updates, start: int, stop: int, *, centre: int | None = None) -> GramBlock:
    """Give the Gram matrix of the columns ``[start, stop)``, with row ``centre`` (or zero) for origin.

    ``start`` is a multiple of ``BLOCK``, and so is ``stop`` unless it is the last column. Raises
    ``UnusableUpdateError`` for NaN and infinity.
    """
    if start % BLOCK or (stop % BLOCK and stop != updates.d):
        raise ValueError(f"a part of the Gram matrix begins and ends at multiples of {BLOCK} columns")
    chunk = widen(updates.chunks(start, stop))
    work = scratch("moved", (len(chunk), min(BLOCK, stop - start)), chunk.dtype)
    sums, tile = _Sums(), _Tile(len(chunk))
    for first in range(0, stop - start, BLOCK):
        block = chunk[:, first : first + BLOCK]
        if not _one_limb(block, centre, work[:, : block.shape[1]], sums, tile):
            refuse_unusable(block)
            _two_limbs(block, centre, sums)
    return GramBlock(-(-(stop - start) // BLOCK), sums.parts)


class _Sums:
    """Integer matrices by exponent, being added up."""

    def __init__(self) -> None:
        self.parts: dict[int, Integers] = {}

    def add(self, integers: np.ndarray[Any, Any], exponents: np.ndarray[Any, Any], moved: int) -> None:
        """Add 2**(exponents[i] + exponents[j] + moved) * integers[i, j]."""
        whole = integers.astype(np.int64)
        of_rows = {*exponents.tolist()}
        if len(of_rows) == 1:
            self._add(2 * of_rows.pop() + moved, whole)
            return
        sums = exponents[:, None] + exponents
        for each in sorted({one + other for one in of_rows for other in of_rows}):
            self._add(each + moved, np.where(sums == each, whole, 0))

    def _add(self, exponent: int, whole: Integers) -> None:
        if exponent in self.parts:
            self.parts[exponent] += whole
        else:
            self.parts[exponent] = whole


def _one_limb(block: Any, centre: int | None, work: Any, sums: _Sums, tile: _Tile) -> bool:
    """Add the block's integers if 19 bits do; else say False."""
    with np.errstate(invalid="ignore", over="ignore"):
        np.subtract(block, 0 if centre is None else block[centre], out=work)
    reach = np.maximum(work.max(axis=1), -work.min(axis=1)).astype(np.float64)
    highest = reach.max()
    if not highest < 2.0**100:  # NaN too
        return False
    exponents = _exponents(reach)
    if exponents.min() < -100:
        return False
    work *= np.ldexp(1.0, BITS - exponents).astype(work.dtype)[:, None]
    np.rint(work, out=work)
    integers = tile.products(work)
    if not _tells_apart(integers, exponents, about_zero=centre is None):
        return False
    sums.add(integers, exponents, -2 * BITS)
    return True


def _exponents(reach: Any) -> Any:
    """Give each row's grid range as a power of two; rows near the farthest one share its grid, which costs less."""
    exponents = np.frexp(reach)[1].astype(np.int64)
    most = exponents[int(np.argmax(reach))]
    exponents[(exponents >= most - 1) | (reach == 0)] = most
    return exponents


def _tells_apart(integers: Any, exponents: Any, *, about_zero: bool) -> bool:
    """Say whether the distance of each two rows, or of each from zero, is large against the wider grid of both.

    Rows that are the centre itself are exact.
    """
    if (exponents == exponents[0]).all():
        lengths, enough, least = np.diagonal(integers), -2.0 * integers, CLOSE
        enough += lengths
        enough += lengths[:, None]
        enough = enough >= CLOSE
    else:
        ranges = np.ldexp(1.0, np.maximum(exponents - exponents.max(), -500))
        scaled = integers * ranges * ranges[:, None]
        lengths, least = np.diagonal(scaled), CLOSE * ranges * ranges
        wider = np.maximum(ranges, ranges[:, None])
        enough = lengths + lengths[:, None] - 2.0 * scaled >= CLOSE * wider * wider
    zero = lengths == 0
    if zero.any():
        enough |= zero & zero[:, None]
    np.fill_diagonal(enough, val=zero | (lengths >= least) if about_zero else True)
    return bool(enough.all())


def _two_limbs(block: Any, centre: int | None, sums: _Sums) -> None:
    """Add the block's integers of 38 bits, as two limbs of 19."""
    n = len(block)
    values = block.astype(np.float64)
    if centre is not None:
        values -= values[centre].copy()
    exponents = _exponents(np.abs(values).max(axis=1))
    values = np.ldexp(values, (BITS - exponents)[:, None])
    high = np.rint(values)
    values -= high
    values *= LIMB
    integers = _Tile(2 * n).products(np.concatenate([high, np.rint(values)]))
    sums.add(integers[:n, :n], exponents, -2 * BITS)
    sums.add(integers[:n, n:] + integers[n:, :n], exponents, -3 * BITS)
    sums.add(integers[n:, n:], exponents, -4 * BITS)


class _Tile:
    """Products of n rows of integers of at most 19 bits with each other; every sum is exact in float64.

    Groups of rows are multiplied by themselves and all rows below, in tiles of columns that stay near, and in pieces
    so small that a BLAS starts no threads: they cost more than they save here.
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self.width = min(8192, max(64, _power_of_two(CACHED // n)))
        # A row more, of zeros: BLAS has a slower routine for an array times itself. Eight columns more: rows do not
        # begin at multiples of a large power of two, whose places in a cache are the same.
        self.rows = scratch(f"tile of {n}", (n + 1, self.width + 8), np.float64)[:, : self.width]
        self.rows[n] = 0.0
        self.factors = [_factors(self.rows[start:], min(GROUP, n - start)) for start in range(0, n, GROUP)]

    def products(self, work: Any) -> Any:
        """Multiply [n, w] by its transpose."""
        sums: list[Any] = [0.0] * len(self.factors)
        for first in range(0, work.shape[1], self.width):
            part = work[:, first : first + self.width]
            self.rows[: self.n, : part.shape[1]] = part
            self.rows[: self.n, part.shape[1] :] = 0.0
            for place, (left, right) in enumerate(self.factors):
                sums[place] += left @ right
        return _symmetric(self.n, [np.add.reduce(each, axis=0) for each in sums])


def _factors(rows: Any, group: int) -> tuple[Any, Any]:
    """Give views of the first rows and the transpose of all, cut into pieces of so many columns as one thread does."""
    step = min(rows.shape[1], max(64, _power_of_two(ONE_THREAD // (group * len(rows)))))
    pieces = rows.reshape(len(rows), -1, step)
    return pieces[:group].transpose(1, 0, 2), pieces.transpose(1, 2, 0)


def _symmetric(n: int, upper: Sequence[Any]) -> Any:
    """Put together the rows of each group, from the group's own columns on, with a column too many."""
    result = np.empty((n, n))
    for place, rows in enumerate(upper):
        start, stop = place * GROUP, place * GROUP + len(rows)
        result[start:stop, start:] = rows[:, :-1]
        result[stop:, start:stop] = result[start:stop, stop:].T
    return result


def _power_of_two(most: int) -> int:
    return 1 << max(0, most.bit_length() - 1)


def choose_centre(sample: Any) -> int:
    """Choose the row with the least median distance to the others in a few columns: a good centre makes for speed.

    What the result is does not depend on it, to far below its precision.
    """
    values = np.array(sample, np.float64)
    values -= values[0].copy()
    scale = np.abs(values).max()
    values = (
        np.ldexp(values, -int(np.frexp(scale)[1]) + BITS) if np.isfinite(scale) else np.zeros_like(values)
    )
    whole = np.rint(values)
    lengths = _Tile(len(whole)).products(whole)
    squares = np.diagonal(lengths) + np.diagonal(lengths)[:, None] - 2.0 * lengths
    return int(np.argmin(np.sort(squares, axis=1)[:, len(squares) // 2]))
