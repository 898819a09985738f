"""The rules once more, as their definitions read: by brute force, in float64, for a few rows."""

from itertools import combinations
from typing import Any

import numpy as np

Rows = Any


def squares(x: Rows) -> Any:
    return ((x[:, None] - x[None]) ** 2).sum(axis=-1)


def mean(x: Rows, f: int) -> Any:
    return x.mean(axis=0)


def median(x: Rows, f: int) -> Any:
    return np.median(x, axis=0)


def trimmed_mean(x: Rows, f: int) -> Any:
    return np.sort(x, axis=0)[f : len(x) - f].mean(axis=0)


def _krum_scores(x: Rows, f: int) -> Any:
    apart = squares(x)
    return [np.sort(np.delete(apart[i], i))[: len(x) - f - 1].sum() for i in range(len(x))]


def krum(x: Rows, f: int) -> Any:
    return x[int(np.argmin(_krum_scores(x, f)))]


def multi_krum(x: Rows, f: int) -> Any:
    return x[np.argsort(_krum_scores(x, f), kind="stable")[: len(x) - f]].mean(axis=0)


def geometric_median(x: Rows, f: int) -> Any:
    def objective(y: Any) -> Any:
        return np.sqrt(((x - y) ** 2).sum(axis=1)).sum()

    y = np.median(x, axis=0) + 1e-3
    for _ in range(5000):
        distances = np.sqrt(((x - y) ** 2).sum(axis=1)) + 1e-200
        y = (x / distances[:, None]).sum(axis=0) / (1 / distances).sum()
    return min([y, *x], key=objective)


def nnm(x: Rows, f: int) -> Any:
    near = np.argsort(squares(x), axis=1, kind="stable")[:, : len(x) - f]
    return np.stack([x[rows].mean(axis=0) for rows in near])


def subsets(n: int, f: int) -> Any:
    return combinations(range(n), n - f)


ORACLES = {
    "mean": mean,
    "median": median,
    "trimmed-mean": trimmed_mean,
    "krum": krum,
    "multi-krum": multi_krum,
    "geometric-median": geometric_median,
}
