"""Networks by the zero-one principle: what sorts all rows of zeros and ones sorts everything."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from provenance.aggregation.networks import network, run


def zeros_and_ones(n: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.array(list(product((0, 1), repeat=n)), np.float32).T.copy()


@pytest.mark.parametrize("n", range(1, 13))
def test_wires_hold_the_values_of_their_ranks(n: int) -> None:
    values = zeros_and_ones(n)
    for wanted in (set(range(n)), {(n - 1) // 2, n // 2}, {0, n - 1}):
        rows = list(values.copy())
        run(network(n, wanted), rows, np.empty_like(rows[0]))
        for wire in wanted:
            assert (rows[wire] == np.sort(values, axis=0)[wire]).all()


@pytest.mark.parametrize("n", range(3, 13))
def test_sets_hold_the_values_of_their_ranks_in_any_order(n: int) -> None:
    values = zeros_and_ones(n)
    for faulty in range((n + 1) // 2):
        rows = list(values.copy())
        kept = range(faulty, n - faulty)
        run(network(n, (), [kept]), rows, np.empty_like(rows[0]))
        assert (np.sort([rows[wire] for wire in kept], axis=0) == np.sort(values, axis=0)[kept]).all()


def test_a_few_middle_values_cost_less_than_all() -> None:
    assert len(network(50, {24, 25})) < 0.75 * len(network(50, range(50)))
