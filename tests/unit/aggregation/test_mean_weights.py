"""Whose values a rule by coordinate took: mean weights against their definition, however the columns are cut."""

from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from provenance.aggregation import aggregate
from provenance.aggregation.updates import BLOCK, ArrayUpdates
from provenance.aggregation.weights import GROUP, WINDOW, Sample

BY_COORDINATE = ["median", "trimmed-mean", "meamed", "bulyan"]


def weights_of(x: Any, sample: Sample | None = None, **options: Any) -> Any:
    found = aggregate(ArrayUpdates(x), sample=sample or Sample(x.shape[1]), **options)
    assert found.coefficients is not None
    return np.array(found.coefficients)


def kept(column: list[float], rule: str, f: int) -> list[float]:
    """The values that count, by the definition of the rule."""
    values, n = sorted(column), len(column)
    middle = [values[(n - 1) // 2], values[n // 2]]
    match rule:
        case "median":
            return middle
        case "trimmed-mean":
            return values[f : n - f]
        case _:
            twice = sum(map(Fraction, middle))
            return sorted(values, key=lambda value: (abs(2 * Fraction(value) - twice), value))[: n - f]


def defined(x: Any, rule: str, f: int, rights: list[int] | None = None) -> Any:
    """Mean weights by their definition, in fractions."""
    n, d = x.shape
    rights = rights or [1] * n
    weights = [Fraction(0)] * n
    for column in x.T.astype(np.float64).tolist():
        taken = kept(column, rule, f)
        for value in set(taken):
            alike = [row for row in range(n) if column[row] == value]
            force = sum(rights[row] for row in alike)
            for row in alike:
                weights[row] += Fraction(taken.count(value) * rights[row], len(taken) * force * d)
    return np.array([float(weight) for weight in weights])


@pytest.mark.parametrize("dtype", [np.float64, np.float32, ml_dtypes.bfloat16])
@pytest.mark.parametrize(("n", "f"), [(7, 2), (8, 3), (20, 4), (3, 0)])
@pytest.mark.parametrize("rule", ["median", "trimmed-mean", "meamed"])
def test_they_are_what_their_definition_says(rule: str, n: int, f: int, dtype: Any) -> None:
    random = np.random.default_rng(n)
    for values in (random.normal(size=(n, 900)), random.integers(-2, 3, (n, 300)), np.ones((n, 50))):
        x = values.astype(dtype)
        x[1, ::2] = -0.0
        x[n - 1] = x[0]
        found = weights_of(x, rule=rule, faulty=f)
        assert np.allclose(found, defined(x, rule, f), rtol=1e-6, atol=1e-9)
        assert found.sum() == pytest.approx(1)
        assert found[0] == found[n - 1]


def test_rows_that_are_never_kept_have_no_weight() -> None:
    x = np.random.default_rng(0).normal(size=(7, 500))
    x[2] += 100
    for rule in ("median", "trimmed-mean", "meamed"):
        assert weights_of(x, rule=rule, faulty=1)[2] == 0


def test_with_voting_rights_the_rows_at_the_median_share_by_right() -> None:
    x = np.array([[1.0, 5.0, 2.0], [1.0, 0.0, 2.0], [3.0, 5.0, 2.0], [9.0, 9.0, 2.0]])
    # Column by column the median is 1, of the first two; 5, of the first and the third; 2, of all that have a right.
    found = weights_of(x, rule="median", faulty=0, voting_rights=[2.0, 1.0, 0.0, 0.5])
    assert np.allclose(found, np.array([2 / 3 + 1 + 2 / 3.5, 1 / 3 + 1 / 3.5, 0, 0.5 / 3.5]) / 3)


def test_what_bulyan_does_not_pick_has_no_weight() -> None:
    x = np.random.default_rng(0).normal(size=(19, 400)).astype(np.float32)
    x[3] += 50
    found = weights_of(x, rule="bulyan", faulty=4)
    assert np.count_nonzero(found) == 11
    assert found[3] == 0
    picked = x[found > 0]
    assert np.allclose(found[found > 0], defined(picked, "meamed", 8), rtol=1e-6)


def test_behind_a_step_they_are_those_of_the_rows_that_were_sent() -> None:
    x = np.random.default_rng(0).normal(size=(8, 700))
    x[1] *= 50
    for pre in (["nnm"], ["bucketing"], ["arc"], ["clip"]):
        found = weights_of(x, rule="trimmed-mean", faulty=1, pre=pre)
        # Where nothing is trimmed, each weight is the factor of the row in a mean.
        whole = weights_of(x, rule="trimmed-mean", faulty=0, pre=pre)
        mean = aggregate(ArrayUpdates(x), rule="mean", faulty=0, pre=pre)
        assert np.allclose(whole, mean.coefficients, rtol=1e-9)
        assert found[1] < found[0]
        assert (found.sum() == pytest.approx(1)) == (pre[0] in ("nnm", "bucketing"))


@pytest.mark.parametrize("pre", [(), ("nnm",)])
@pytest.mark.parametrize("rule", BY_COORDINATE)
def test_a_sample_is_the_same_whatever_the_order_of_rows_the_threads_and_the_chunks(
    rule: str, pre: tuple[str, ...]
) -> None:
    random = np.random.default_rng(1)
    x = random.normal(size=(11, 5 * BLOCK + 5_001)).astype(np.float32).round(1)  # with ties
    sample = Sample(x.shape[1], b"seed")
    options = {"rule": rule, "faulty": 2, "pre": pre}
    wanted = weights_of(x, sample, **options)
    for threads, chunk in ((2, None), (1, 1), (3, 20_000)):
        assert (weights_of(x, sample, threads=threads, chunk=chunk, **options) == wanted).all()
    order = random.permutation(11)
    assert (weights_of(x[order], sample, **options) == wanted[order]).all()


def test_many_rows_are_cut_into_parts_narrower_than_a_window() -> None:
    x = np.random.default_rng(1).normal(size=(700, BLOCK + 3_000)).astype(np.float32)
    sample = Sample(x.shape[1], b"seed")
    seen = np.concatenate([x[:, each] for each in sample.windows(0, x.shape[1])], axis=1)
    found = weights_of(x, sample, rule="median", faulty=10)
    assert seen.shape[1] == sample.columns
    assert (found == weights_of(seen, rule="median", faulty=10)).all()


def test_a_sample_is_one_window_of_every_group_where_the_seed_says() -> None:
    sample = Sample(100 * GROUP + 300, b"seed")
    windows = sample.windows(0, sample.d)
    assert [each.start // GROUP for each in windows] == list(range(101))
    assert {each.stop - each.start for each in windows[:-1]} == {WINDOW}
    assert len({each.start % GROUP for each in windows}) > 20
    assert windows[-1] == slice(100 * GROUP, sample.d)
    assert sample.columns == 100 * WINDOW + 300
    assert windows != Sample(sample.d, b"other").windows(0, sample.d)
    for width in (1000, WINDOW, 13 * 1024, 2 * BLOCK, 5 * GROUP):
        parts = [(start, sample.windows(start, width)) for start in range(0, sample.d, width)]
        again = [
            number
            for start, part in parts
            for each in part
            for number in range(start + each.start, start + each.stop)
        ]
        assert again == [number for each in windows for number in range(each.start, each.stop)]


def test_nobody_counts_unless_asked() -> None:
    x = np.random.default_rng(0).normal(size=(7, 50))
    assert aggregate(ArrayUpdates(x), rule="median", faulty=2).coefficients is None
