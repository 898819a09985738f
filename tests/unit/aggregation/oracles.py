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
        last, y = y, (1 / distances) @ x / (1 / distances).sum()
        if np.abs(y - last).max() < 1e-15 * np.abs(y).max():
            break
    return min([y, *x], key=objective)


def nnm(x: Rows, f: int) -> Any:
    near = np.argsort(squares(x), axis=1, kind="stable")[:, : len(x) - f]
    return np.stack([x[rows].mean(axis=0) for rows in near])


def subsets(n: int, f: int) -> Any:
    return combinations(range(n), n - f)


def meamed(x: Rows, f: int) -> Any:
    return _around_median(x, len(x) - f)


def _around_median(x: Rows, kept: int) -> Any:
    ordered = np.sort(x, axis=0)
    apart = np.abs(ordered - np.median(x, axis=0))
    nearest = np.argsort(apart, axis=0, kind="stable")[:kept]
    return np.take_along_axis(ordered, nearest, axis=0).mean(axis=0)


def mda(x: Rows, f: int) -> Any:
    apart = squares(x)
    best = min(subsets(len(x), f), key=lambda rows: (apart[np.ix_(rows, rows)].max(), rows))
    return x[list(best)].mean(axis=0)


def smea(x: Rows, f: int) -> Any:
    def top(rows: Any) -> Any:
        centred = x[list(rows)] - x[list(rows)].mean(axis=0)
        return np.linalg.eigvalsh(centred @ centred.T)[-1]

    return x[list(min(subsets(len(x), f), key=top))].mean(axis=0)


def cge(x: Rows, f: int) -> Any:
    return x[np.argsort((x**2).sum(axis=1), kind="stable")[: len(x) - f]].mean(axis=0)


def monna(x: Rows, f: int) -> Any:
    return x[np.argsort(squares(x)[0], kind="stable")[: len(x) - f]].mean(axis=0)


def caf(x: Rows, f: int) -> Any:
    weights, best = np.ones(len(x)), (np.inf, x.mean(axis=0))
    while weights.sum() > len(x) - 2 * f:
        centre = weights @ x / weights.sum()
        pulled = (x - centre) * np.sqrt(weights / weights.sum())[:, None]
        value, vectors = np.linalg.eigh(pulled.T @ pulled)
        if value[-1] < best[0]:
            best = value[-1], centre
        projections = ((x - centre) @ vectors[:, -1]) ** 2
        weights = weights * (1 - projections / projections[weights > 0].max())
        weights[weights < 1e-12] = 0
    return best[1]


def bulyan(x: Rows, f: int) -> Any:
    left, picked = list(range(len(x))), []
    for _ in range(len(x) - 2 * f):
        best = left[int(np.argmin(_krum_scores(x[left], f)))]
        picked.append(best)
        left.remove(best)
    return _around_median(x[picked], len(x) - 4 * f)


def bounded_influence(x: Rows, f: int) -> Any:
    return _steepest(x)


def centered_clipping(x: Rows, f: int) -> Any:
    lengths = np.sqrt((x**2).sum(axis=1))
    return (x * np.minimum(1, 1 / lengths)[:, None]).mean(axis=0)


def _steepest(x: Rows) -> Any:
    y = x.mean(axis=0) * 0.5
    for _ in range(20_000):
        forces = 1 / (np.sqrt(((x - y) ** 2).sum(axis=1)) + 1e-200)
        last, y = y, forces @ x / (1.0 + forces.sum())
        if np.abs(y - last).max() < 1e-15 * np.abs(y).max():
            break
    return y


ORACLES = {
    "mean": mean,
    "median": median,
    "trimmed-mean": trimmed_mean,
    "krum": krum,
    "multi-krum": multi_krum,
    "geometric-median": geometric_median,
    "meamed": meamed,
    "mda": mda,
    "smea": smea,
    "cge": cge,
    "monna": monna,
    "bulyan": bulyan,
    "bounded-influence": bounded_influence,
    "centered-clipping": centered_clipping,
}
IN_FEW_DIMENSIONS = {
    "caf": caf,
}
