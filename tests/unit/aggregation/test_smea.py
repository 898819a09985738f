"""The subset of least top eigenvalue, against all subsets, above all where many are as good."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest

from provenance.aggregation import aggregate_arrays
from provenance.aggregation.rules.smea import least_eigenvalue_subset
from provenance.aggregation.subsets import TooManyError, within

Rows = np.ndarray[tuple[int, int], Any]


def spaces(x: Rows) -> tuple[Rows, Rows]:
    centred = x - x[len(x) // 2]
    return centred @ centred.T, ((x[:, None] - x[None]) ** 2).sum(axis=-1)


def found(x: Rows, faulty: int) -> list[int]:
    return least_eigenvalue_subset(*spaces(x), faulty)


def top(x: Rows, rows: list[int] | tuple[int, ...]) -> float:
    part = x[list(rows)] - x[list(rows)].mean(axis=0)
    return float(np.linalg.eigvalsh(part @ part.T)[-1])


def first_of_the_best(x: Rows, faulty: int) -> list[int]:
    subsets = list(combinations(range(len(x)), len(x) - faulty))
    tops = [top(x, rows) for rows in subsets]
    most = min(tops) * (1 + 1e-11) + 1e-12
    return list(next(rows for rows, value in zip(subsets, tops, strict=True) if value <= most))


@pytest.mark.parametrize("kind", ["whole numbers", "copies", "pairs", "on a line", "almost symmetric"])
def test_ties_go_to_the_lexicographically_first_of_all_subsets(kind: str) -> None:
    for seed in range(60):
        random = np.random.default_rng(seed)
        n = int(random.integers(4, 10))
        x = random.normal(size=(n, 3))
        match kind:
            case "whole numbers":
                x = random.integers(-2, 3, (n, 2)).astype(np.float64)
            case "copies":
                x[random.integers(0, n, n // 2)] = x[0]
            case "pairs":
                x = np.repeat(x, 2, axis=0)[:n]
            case "on a line":
                x = random.integers(-3, 4, (n, 1)).astype(np.float64)
            case "almost symmetric":
                x = np.eye(n) + 1e-3 * random.normal(size=(n, n))
        for faulty in range(1, (n - 1) // 2 + 1):
            assert found(x, faulty) == first_of_the_best(x, faulty), (seed, faulty)


def test_many_rows_that_are_alike_are_decided() -> None:
    x = np.random.default_rng(0).normal(size=(14, 3000))
    assert found(x, 4) == first_of_the_best(x, 4)
    x = np.random.default_rng(0).normal(size=(30, 3000)).astype(np.float32)
    result = aggregate_arrays(x, rule="smea", faulty=6)
    kept = found(x.astype(np.float64), 6)
    assert np.allclose(result, x[kept].mean(axis=0), atol=1e-6)
    outside = sorted(set(range(30)) - set(kept))
    for inner in kept:
        for outer in outside:
            assert top(x, [outer if row == inner else row for row in kept]) > top(x, kept)


def test_symmetric_rows_need_no_search() -> None:
    assert found(np.eye(200), 60) == list(range(140))
    assert found(np.ones((200, 3)), 99) == list(range(101))


def test_rows_that_are_the_same_are_not_told_apart_by_search() -> None:
    x = np.random.default_rng(0).normal(size=(60, 50))
    x[10:] = x[10]
    assert found(x, 20) == list(range(10, 50))


def test_a_search_without_end_is_given_up() -> None:
    _, squares = spaces(np.random.default_rng(0).normal(size=(40, 3000)))
    with pytest.raises(TooManyError):
        list(within(squares, 12, 3500.0, most=50))
