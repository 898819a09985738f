"""Smallest maximum eigenvalue averaging: the mean of the n-f rows whose covariance has the least top eigenvalue.

Rows only add to the top eigenvalue of a scatter matrix, so that of a part is a bound for the whole: subsets are
searched row by row, and a part that is worse than the best found is left. LAPACK's eigenvalues choose what is
looked at, with a margin; between subsets within it the deterministic ones decide, then the lexicographic order.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from provenance.aggregation.arithmetic import dominant
from provenance.aggregation.geometry import Geometry
from provenance.aggregation.rule import Choices, Combination, Rule, chosen, majority

__all__ = ["SMEA", "least_eigenvalue_subset"]

MARGIN: Final = 1e-9
ALIKE: Final = 1e-12
NOISE: Final = 1e-14
MOST_PARTS: Final = 150_000  # looked at before the search gives up; n = 20, f = 4 needs about 10,000
BATCH: Final = 2048


def least_eigenvalue_subset(gram: Any, faulty: int) -> list[int]:
    """Give the n-f rows with the least top eigenvalue of their scatter; ties go to the lexicographically first.

    Raises ValueError where the rows are too much alike, and too many, for the search to end.
    """
    n = len(gram)
    best = _top(gram, _greedy(gram, faulty)[None])[0]
    order = _farthest_first(gram)
    parts = np.zeros((1, n), bool)  # rows kept so far
    looked_at = 0
    for place, row in enumerate(order):
        left_out = place - parts.sum(axis=1)
        kept = parts[parts.sum(axis=1) < n - faulty]
        kept[:, row] = True
        looked_at += len(kept)
        if looked_at > MOST_PARTS:
            raise ValueError(
                f"smea cannot decide between more than {MOST_PARTS:,} subsets of {n} rows so much alike; "
                "caf comes near it for any n"
            )
        kept = kept[_top(gram, kept) <= best * (1.0 + MARGIN) + _noise(gram, kept)]
        parts = np.concatenate([kept, parts[left_out < faulty]])
    return _decided(gram, parts[parts.sum(axis=1) == n - faulty], best)


def _top(gram: Any, parts: Any) -> Any:
    """Give the top eigenvalue of the scatter of each part, nearly."""
    found = np.empty(len(parts))
    for first in range(0, len(parts), BATCH):
        some = parts[first : first + BATCH].astype(np.float64)
        found[first : first + len(some)] = np.linalg.eigvalsh(_scatters(gram, some))[:, -1]
    return found


def _scatters(gram: Any, some: Any) -> Any:
    """Centre the Gram matrix on the mean of each part, with zero for the rows outside it."""
    sizes = np.maximum(some.sum(axis=1), 1.0)[:, None, None]
    both = some[:, :, None] * some[:, None, :]
    inside = gram * both
    rows = inside.sum(axis=2, keepdims=True) / sizes
    return inside - (rows + rows.transpose(0, 2, 1)) * both + rows.sum(axis=1, keepdims=True) / sizes * both


def _greedy(gram: Any, faulty: int) -> Any:
    """Leave out, f times, the row without which the top eigenvalue is least."""
    part = np.ones(len(gram), bool)
    for _ in range(faulty):
        inside = np.flatnonzero(part)
        without = np.repeat(part[None], len(inside), axis=0)
        without[np.arange(len(inside)), inside] = False
        part = without[int(np.argmin(_top(gram, without)))]
    return part


def _farthest_first(gram: Any) -> list[int]:
    """Begin with the rows that lie apart: parts that keep one are soon worse than the best."""
    lengths = np.diagonal(gram)
    squares = lengths + lengths[:, None] - 2.0 * gram
    order: list[int] = np.argsort(-np.median(squares, axis=1), kind="stable").tolist()
    return order


def _decided(gram: Any, parts: Any, best: float) -> list[int]:
    tops = _top(gram, parts)
    least = min(best, float(tops.min()))
    near = parts[tops <= least * (1.0 + MARGIN) + _noise(gram, parts)]
    exact = [_exact_top(gram, np.flatnonzero(part)) for part in near]
    alike = (min(exact) * (1.0 + ALIKE) + _noise(gram, near)).tolist()
    return min(
        np.flatnonzero(part).tolist()
        for part, top, most in zip(near, exact, alike, strict=True)
        if top <= most
    )


def _noise(gram: Any, parts: Any) -> Any:
    """Give what rounding may add to a top eigenvalue: that of rows that are all the same is not always zero."""
    return NOISE * (np.abs(np.diagonal(gram)) * parts).max(axis=1)


def _exact_top(gram: Any, rows: Any) -> float:
    size = float(len(rows))
    inside = gram[np.ix_(rows, rows)]
    sums = np.add.accumulate(inside, axis=0)[-1] / size
    everything = np.add.accumulate(sums)[-1] / size
    return dominant(inside - sums - sums[:, None] + everything)[0]


def _combine(space: Geometry, choices: Choices) -> Combination:
    by_rank = sorted(range(space.n), key=lambda row: space.rank[row])
    gram = space.gram[np.ix_(by_rank, by_rank)]
    return chosen([by_rank[place] for place in least_eigenvalue_subset(gram, choices.faulty)], space.n)


def _kappa(n: int, faulty: int) -> float:
    return 4.0 * faulty / (n - faulty) * (1.0 + faulty / (n - 2 * faulty)) ** 2


SMEA = Rule(
    name="smea",
    title="the mean of the n-f rows with the least top eigenvalue of their covariance",
    least=majority,
    kappa=_kappa,
    source="Allouah et al. 2023 (arXiv 2302.04787): 4f/(n-f) (1 + f/(n-2f))^2",
    condition="n > 2f",
    combine=_combine,
)
