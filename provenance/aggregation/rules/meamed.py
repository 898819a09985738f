"""The mean around the median: of each coordinate, the mean of the n-f values nearest to the median."""

from __future__ import annotations

from typing import Any

import numpy as np

from provenance.aggregation.networks import network, run
from provenance.aggregation.rule import Choices, Kernel, Rule, majority
from provenance.aggregation.scratch import scratch
from provenance.aggregation.updates import Floats

__all__ = ["MEAMED", "mean_around_median"]


def mean_around_median(n: int, kept: int) -> Kernel:
    """Average the ``kept`` values nearest to the median of n; of two as near, the smaller.

    Sorted, they are a window of ranks, which holds one rank of each residue modulo ``kept``: beside ranks r and
    r + kept, the window takes the upper where it is nearer, y[r] + y[r + kept] < 2 median. It holds a middle value.
    """
    low, high = (n - 1) // 2, n // 2
    first, last = max(0, low - kept + 1), min(n, high + kept)
    ends = {*range(first, last - kept), *range(first + kept, last), low, high}
    inner = [rank for rank in range(first, last) if rank not in ends]
    comparators = network(n, ends, _runs(inner))

    def combine(rows: list[Any]) -> Floats:
        shape = rows[0].shape
        run(comparators, rows, scratch("spare", shape, rows[0].dtype))
        twice = np.add(rows[low], rows[high], out=scratch("twice", shape, np.float64), dtype=np.float64)
        both, upper = scratch("both", shape, np.float64), scratch("upper", shape, bool)
        result: Floats = scratch("sum", shape, np.float64)
        result[:] = 0.0
        for rank in range(first, first + kept):
            for other in range(rank + kept, last, kept):
                np.add(rows[other - kept], rows[other], out=both, dtype=np.float64)
                _replace(rows[rank], rows[other], np.less(both, twice, out=upper))
            result += rows[rank]
        result /= kept
        return result

    return Kernel(combine, range(first, first + kept))


def _replace(row: Any, other: Any, where: Any) -> None:
    """Put bits of another row into a row, where so; ``np.where`` guesses at each value which it will be, and errs."""
    integers = f"i{row.itemsize}"
    row, other = row.view(integers), other.view(integers)
    differing = np.bitwise_xor(row, other, out=scratch("differing", row.shape, integers))
    differing *= where
    row ^= differing


def _runs(ranks: list[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for rank in ranks:
        if runs and runs[-1][-1] == rank - 1:
            runs[-1].append(rank)
        else:
            runs.append([rank])
    return runs


def _kernel(n: int, choices: Choices) -> Kernel:
    return mean_around_median(n, n - choices.faulty)


def _kappa(n: int, faulty: int) -> float:
    return 2.0 * faulty / (n - faulty) * (5.0 + 12.0 * faulty / (n - 2 * faulty))


MEAMED = Rule(
    name="meamed",
    title="coordinate-wise mean of the n-f values nearest to the median",
    least=majority,
    kappa=_kappa,
    source="derived in docs/aggregation.md: 2f/(n-f) (5 + 12f/(n-2f))",
    condition="n > 2f",
    kernel=_kernel,
)
