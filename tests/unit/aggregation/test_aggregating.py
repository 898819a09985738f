"""Every rule against its definition; the same bits whatever the order, threads, chunks, or BLAS."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from oracles import IN_FEW_DIMENSIONS, ORACLES, nnm

from provenance.aggregation import RULES, aggregate, aggregate_arrays
from provenance.aggregation.updates import ArrayUpdates

SHAPES = [(7, 1, 40), (19, 4, 9_000), (11, 2, 9_001)]


def some(n: int, d: int, dtype: Any = np.float64, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=(n, d)).astype(dtype)


def faulty_of(rule: str, f: int) -> int:
    return 0 if rule == "mean" else f


@pytest.mark.parametrize("far", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, ml_dtypes.bfloat16])
@pytest.mark.parametrize("rule", ORACLES)
def test_rules_are_what_their_definitions_say(rule: str, dtype: Any, far: bool) -> None:
    for n, f, d in SHAPES:
        x = some(n, d)
        if far:
            x[:f] *= 1000  # the far rows come first
        x = x.astype(dtype)
        found = aggregate_arrays(x, rule=rule, faulty=faulty_of(rule, f))
        wanted = ORACLES[rule](x.astype(np.float64), f)
        assert found.dtype == (np.float64 if dtype == np.float64 else np.float32)
        assert np.abs(found - wanted).max() <= 1e-6 * np.abs(wanted).max()


@pytest.mark.parametrize("rule", ORACLES)
def test_rules_behind_nearest_neighbour_mixing(rule: str) -> None:
    for n, f, d in SHAPES:
        x = some(n, d)
        x[1] *= 1e6
        found = aggregate_arrays(x, rule=rule, faulty=faulty_of(rule, f), pre=["nnm"])
        wanted = ORACLES[rule](nnm(x, faulty_of(rule, f)), f)
        assert np.abs(found - wanted).max() <= 1e-6 * np.abs(wanted).max()


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("pre", [(), ("nnm",)])
@pytest.mark.parametrize("rule", RULES)
def test_the_order_of_rows_changes_no_bit(rule: str, pre: tuple[str, ...], dtype: Any) -> None:
    x = some(11, 3_000, dtype)
    x[3] = 40 * x[5]
    wanted = aggregate_arrays(x, rule=rule, faulty=faulty_of(rule, 2), pre=pre)
    for seed in range(3):
        shuffled = np.random.default_rng(seed).permutation(x)
        found = aggregate_arrays(shuffled, rule=rule, faulty=faulty_of(rule, 2), pre=pre)
        # monna's first row is one's own; in mda, subsets without either end of the longest pair are alike
        if rule not in ("monna", "mda"):
            assert found.tobytes() == wanted.tobytes()


@pytest.mark.parametrize("pre", [(), ("nnm",)])
@pytest.mark.parametrize("rule", RULES)
def test_threads_and_chunks_change_no_bit(rule: str, pre: tuple[str, ...]) -> None:
    x = some(11, 70_001, np.float32)
    wanted = aggregate_arrays(x, rule=rule, faulty=faulty_of(rule, 2), pre=pre, threads=1)
    written = np.empty(70_001, np.float32)

    def write(start: int, values: Any) -> None:
        written[start : start + len(values)] = values

    for threads, chunk in ((2, None), (1, 1), (3, 20_000)):
        aggregate(
            ArrayUpdates(x),
            rule=rule,
            faulty=faulty_of(rule, 2),
            pre=pre,
            threads=threads,
            chunk=chunk,
            out=write,
        )
        assert written.tobytes() == wanted.tobytes()


@pytest.mark.parametrize("rule", ["mda", "smea", "krum", "multi-krum", "bulyan", "caf"])
def test_brute_force_agrees_for_few_rows(rule: str) -> None:
    oracle = {**ORACLES, **IN_FEW_DIMENSIONS}[rule]
    for seed in range(150):
        random = np.random.default_rng(seed)
        n = int(random.integers(3, 9))
        f = int(random.integers(0, (n - 1) // 2 + 1)) if rule != "bulyan" else int(n == 7 or n == 8)
        x = random.normal(size=(n, int(random.integers(1, 6))))
        x[:f] *= float(random.choice([1, 10, 1000]))
        found = aggregate_arrays(x, rule=rule, faulty=f)
        assert np.allclose(found, oracle(x, f), rtol=1e-6, atol=1e-6), seed


@pytest.mark.parametrize("rule", ["mda", "krum", "multi-krum", "bulyan", "meamed", "median"])
def test_ties_go_to_the_lower_row_and_the_smaller_value(rule: str) -> None:
    for seed in range(150):
        random = np.random.default_rng(seed)
        n, f = (7, 1) if rule == "bulyan" else (6, 2)
        x = random.integers(-2, 3, (n, 2)).astype(np.float64)
        assert np.allclose(aggregate_arrays(x, rule=rule, faulty=f), ORACLES[rule](x, f), atol=1e-12), seed


def test_coefficients_and_distances_are_those_of_the_rows() -> None:
    x = some(9, 500)
    x[4] *= 30
    for rule in ("krum", "multi-krum", "mda", "geometric-median", "caf", "bounded-influence", "mean"):
        found = aggregate(ArrayUpdates(x), rule=rule, faulty=faulty_of(rule, 2), observe=True)
        assert found.coefficients is not None
        assert np.allclose(np.array(found.coefficients) @ x, found.values, atol=1e-9)
        apart = np.sqrt(((x[:, None] - x[None]) ** 2).sum(axis=-1))
        assert found.diameter == pytest.approx(apart.max(), rel=1e-9)
        spread = np.sqrt(((x - x.mean(axis=0)) ** 2).sum() / len(x))
        assert found.heterogeneity == pytest.approx(spread, rel=1e-9)
    assert aggregate(ArrayUpdates(x), rule="median", faulty=2).coefficients is None


class Columns:
    """As little as a source of updates needs."""

    def __init__(self, rows: np.ndarray) -> None:
        self.rows = rows
        self.n, self.d = rows.shape
        self.dtype = rows.dtype

    def chunks(self, start: int, stop: int) -> np.ndarray:
        return self.rows[:, start:stop]


@pytest.mark.parametrize("rule", ["median", "krum", "mean"])
def test_any_object_that_gives_columns_is_a_source_of_updates(rule):
    rows = np.random.default_rng(3).normal(size=(7, 100)).astype("f4")
    found = aggregate(Columns(rows), rule=rule, faulty=int(rule != "mean"))
    assert found.values is not None
    assert (found.values == aggregate_arrays(rows, rule=rule, faulty=int(rule != "mean"))).all()
