"""Pre-aggregated rows of a block: rows scaled, or means over groups by an exact product of integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from provenance.aggregation.pre.model import Grouped, Mixing
from provenance.aggregation.scratch import scratch

__all__ = ["for_rows", "mixed"]

BAND: Final = 10  # rows whose largest values differ by less than 2^10 share a grid of integers
TILE_PRODUCTS: Final = 1 << 18  # multiplications below which no known BLAS starts threads
CACHED: Final = 1 << 15  # numbers that stay in a processor's own cache


def for_rows(mixings: Sequence[Mixing], order: Sequence[int]) -> tuple[list[Mixing], list[int]]:
    """Turn mixings of rows in ``order`` into mixings of the rows as they come; gives the order of what results."""
    found: list[Mixing] = []
    order = list(order)
    for mixing in mixings:
        place = np.argsort(order)
        if isinstance(mixing, Grouped):
            found.append(replace(mixing, members=np.ascontiguousarray(mixing.members[:, place])))
            order = list(range(len(mixing.members)))
        else:
            found.append(replace(mixing, factors=mixing.factors[place]))
    return found, order


def mixed(block: np.ndarray[Any, Any], mixings: Sequence[Mixing]) -> np.ndarray[Any, Any]:
    """Apply pre-aggregators to a block [n, w] of float32 or float64; the new rows have its dtype.

    What is done depends on the block's own values alone, so blocks lie on one grid of columns.
    """
    rows: Any = block
    for place, mixing in enumerate(mixings):
        dtype = block.dtype if place == len(mixings) - 1 else np.dtype(np.float64)
        if isinstance(mixing, Grouped):
            rows = _means(rows, mixing, dtype)
        else:
            rows = np.multiply(rows, mixing.factors[:, None], dtype=np.float64).astype(dtype, copy=False)
    found: np.ndarray[Any, Any] = rows
    return found


def _means(rows: Any, mixing: Grouped, dtype: np.dtype[Any]) -> Any:
    """Average groups of rows. Integers of 52 - log2(n) bits add up without error, in whatever order a BLAS does."""
    result = np.empty((len(mixing.members), rows.shape[1]), dtype)
    bits = 52 - len(rows).bit_length()
    bands = [
        (band, np.ascontiguousarray(mixing.members[:, band]), bits - top, _scales(mixing, top - bits))
        for band, top in _bands(rows)
    ]
    step = max(64, TILE_PRODUCTS // mixing.members.size // 64 * 64)
    width = step * max(1, CACHED // (len(rows) * step))
    for first in range(0, rows.shape[1], width):
        tile = rows[:, first : first + width]
        means: Any = 0.0
        for band, members, exponent, scales in bands:
            sums = _sums(members, _integers(tile if len(bands) == 1 else tile[band], exponent, step))
            sums *= scales
            means = sums if len(bands) == 1 else means + sums
        result[:, first : first + width] = means[:, : tile.shape[1]]
    return result


def _integers(tile: Any, exponent: int, step: int) -> Any:
    """Round a tile times 2**exponent, with zeros up to the next multiple of ``step``."""
    whole = scratch("whole", (len(tile), -(-tile.shape[1] // step) * step), np.float64)
    whole[:, : tile.shape[1]] = tile
    whole[:, tile.shape[1] :] = 0.0
    if abs(exponent) < 1000:
        whole *= 2.0**exponent
    else:
        np.ldexp(whole, exponent, out=whole)
    return np.rint(whole, out=whole).reshape(len(tile), -1, step)


def _sums(members: Any, integers: Any) -> Any:
    """Add the rows of each group, piece by piece."""
    sums = scratch("sums", (len(members), *integers.shape[1:]), np.float64)
    np.matmul(members, integers.transpose(1, 0, 2), out=sums.transpose(1, 0, 2))
    return sums.reshape(len(members), -1)


def _scales(mixing: Grouped, exponent: int) -> Any:
    """Give the factor of each group's sum; one number where all are the same, which multiplies faster."""
    scales = np.ldexp(1.0, exponent) / mixing.sizes
    return scales[0] if (scales == scales[0]).all() else scales[:, None]


def _bands(rows: Any) -> list[tuple[list[int], int]]:
    """Part the rows into bands by their largest value, the nearest to zero first: a far row coarsens no near one."""
    exponents = np.frexp(np.maximum(rows.max(axis=1), -rows.min(axis=1)))[1].tolist()
    left = sorted(range(len(rows)), key=lambda row: -exponents[row])
    bands: list[tuple[list[int], int]] = []
    while left:
        top = exponents[left[0]]
        band = [row for row in left if exponents[row] > top - BAND]
        bands.insert(0, (sorted(band), top))
        left = left[len(band) :]
    return bands
