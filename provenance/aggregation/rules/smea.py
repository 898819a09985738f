"""Smallest maximum eigenvalue averaging: the mean of the n-f rows whose covariance has the least top eigenvalue.

A good subset is found by exchanging rows. Then all are searched whose top eigenvalue is no larger, with a margin for
rounding in LAPACK, which chooses what is looked at; between subsets within it the deterministic eigenvalues decide,
then the lexicographic order. Where a better one turns up on the way, the search begins anew with it.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from provenance.aggregation.arithmetic import dominant
from provenance.aggregation.geometry import Geometry
from provenance.aggregation.rule import Choices, Combination, Rule, chosen, majority
from provenance.aggregation.subsets import TooManyError, within

__all__ = ["SMEA", "least_eigenvalue_subset"]

MARGIN: Final = 1e-9
ALIKE: Final = 1e-12
BEYOND: Final = 1e-6  # by so much the search goes beyond the best, for the sake of its own rounding
NOISE: Final = 1e-14
# Nodes of the tree; n = 20, f = 4 needs about 20, n = 40, f = 8 with rows all alike 8,000.
MOST_NODES: Final = 30_000
MOST_FOUND: Final = 20_000
AT_ONCE: Final = 1 << 22  # numbers


def least_eigenvalue_subset(gram: Any, squares: Any, faulty: int) -> list[int]:
    """Give the n-f rows with the least top eigenvalue of their scatter; ties go to the lexicographically first.

    Raises ValueError where the rows are too much alike, and too many, for the search to end.
    """
    n = len(gram)
    apart = squares[~np.eye(n, dtype=bool)]
    if not faulty or (apart == apart.max(initial=0.0)).all():  # all subsets are congruent
        return list(range(n - faulty))
    part = _exchanged(gram, _greedy(gram, faulty))
    try:
        while True:
            found = _searched(gram, squares, part)
            if found.ndim > 1:
                return _decided(gram, found)
            part = _exchanged(gram, found)
    except TooManyError:
        raise ValueError(
            f"smea cannot decide between subsets of {n} rows so much alike; caf comes near it for any n"
        ) from None


def _searched(gram: Any, squares: Any, part: Any) -> Any:
    """Give all subsets [b, n] that are as good as one, or one [n] that is better."""
    best = _top(gram, part[None])[0]
    bound = best * (1.0 + BEYOND) + float(_noise(gram, part[None])[0])
    bound = max(bound, BEYOND * float(squares[squares > 0].min()))  # rows that are the same have none
    found = [part[None]]
    for some in within(squares, int((~part).sum()), bound, MOST_NODES * 50**3 // len(part) ** 3):
        tops = _top(gram, some)
        if tops.min() < best * (1.0 - BEYOND):
            return some[int(tops.argmin())]
        found.append(some[tops <= bound])
        if sum(map(len, found)) > MOST_FOUND:
            raise TooManyError
    return np.concatenate(found)


def _exchanged(gram: Any, part: Any) -> Any:
    """Exchange a row for one that was left out while that helps."""
    best = _top(gram, part[None])[0]
    while True:
        inside, outside = np.flatnonzero(part), np.flatnonzero(~part)
        others = np.repeat(part[None], len(inside) * len(outside), axis=0)
        number = np.arange(len(others))
        others[number, np.repeat(inside, len(outside))] = False
        others[number, np.tile(outside, len(inside))] = True
        tops = _top(gram, others)
        if not tops.min() < best * (1.0 - MARGIN):
            return part
        part, best = others[int(tops.argmin())], tops.min()


def _top(gram: Any, parts: Any) -> Any:
    """Give the top eigenvalue of the scatter of each part, nearly."""
    found = np.empty(len(parts))
    batch = max(1, AT_ONCE // parts.shape[1] ** 2)
    for first in range(0, len(parts), batch):
        some = parts[first : first + batch].astype(np.float64)
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


def _decided(gram: Any, parts: Any) -> list[int]:
    tops = _top(gram, parts)
    near = parts[tops <= tops.min() * (1.0 + MARGIN) + _noise(gram, parts)]
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
    gram, squares = (each[np.ix_(by_rank, by_rank)] for each in (space.gram, space.squares))
    kept = least_eigenvalue_subset(gram, squares, choices.faulty)
    return chosen([by_rank[place] for place in kept], space.n)


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
