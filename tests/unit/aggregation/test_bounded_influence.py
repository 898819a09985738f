"""Bounded influence: a change of voting rights by |w - w'| moves the result by |w - w'| / W at most."""

from typing import Any

import numpy as np
import pytest

from provenance.aggregation import aggregate_arrays


def result(x: Any, rights: Any, pull: float) -> Any:
    return aggregate_arrays(
        x, rule="bounded-influence", faulty=0, voting_rights=rights, parameters={"W": pull}, threads=1
    )


def a_case(random: np.random.Generator) -> tuple[Any, Any, Any, float]:
    """Few or many rows, near and far ones, some alike, some at zero; small and large changes of rights."""
    n, d = int(random.integers(1, 9)), int(random.integers(1, 7))
    x = random.normal(size=(n, d)) * 10.0 ** random.integers(-2, 3, (n, 1))
    if random.random() < 0.3:
        x = np.round(x)
    if random.random() < 0.3:
        x[-1] = x[0]
    before = random.uniform(0.05, 2, n) * (random.random(n) < 0.9)
    before[0] = 1
    after = before.copy()
    after[random.integers(n)] = random.uniform(0, 2) * (random.random() < 0.8)
    if random.random() < 0.3:
        after = np.abs(before + 1e-3 * random.normal(size=n))
    if not after.any():
        after[0] = 0.5
    return x, before, after, float(10.0 ** random.uniform(-2, 2))


def test_the_inequality_holds_on_ten_thousand_cases() -> None:
    for seed in range(10_000):
        x, before, after, pull = a_case(np.random.default_rng(seed))
        moved = np.sqrt(((result(x, before, pull) - result(x, after, pull)) ** 2).sum())
        most = np.abs(before - after).sum() / pull
        assert moved <= most * (1 + 1e-9) + 1e-10 * np.abs(x).max(), seed


def test_the_result_is_the_minimiser() -> None:
    for seed in range(300):
        x, rights, _, pull = a_case(np.random.default_rng(seed))

        def objective(y: Any, x: Any = x, rights: Any = rights, pull: float = pull) -> Any:
            return pull * (y @ y) / 2 + rights @ np.sqrt(((x - y) ** 2).sum(axis=1))

        found = result(x, rights, pull)
        least = objective(found)
        random = np.random.default_rng(seed)
        for size in (1e-1, 1e-3, 1e-5):
            for _ in range(20):
                other = found + size * (np.abs(found).max() + 0.1) * random.normal(size=x.shape[1])
                assert objective(other) >= least - 1e-12 * abs(least)


def test_a_far_row_has_the_force_of_one() -> None:
    x = np.zeros((5, 3))
    x[0] = 1e30
    assert np.allclose(result(x, [1] * 5, 1.0), 0)  # four rows hold at zero what one pulls away
    assert np.sqrt((result(x[:1], [1], 4.0) ** 2).sum()) == pytest.approx(1 / 4)


def test_voting_rights_are_numbers_of_like_contributors() -> None:
    x = np.random.default_rng(0).normal(size=(4, 6))
    doubled = np.concatenate([x, x[1:2]])
    assert np.allclose(result(x, [1, 2, 1, 1], 0.7), result(doubled, [1] * 5, 0.7), atol=1e-10)
    for rule in ("median", "geometric-median", "mean"):
        weighted = aggregate_arrays(x, rule=rule, faulty=0, voting_rights=[1, 2, 1, 1])
        assert np.allclose(weighted, aggregate_arrays(doubled, rule=rule, faulty=0), atol=1e-9)
