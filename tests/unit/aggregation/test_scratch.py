"""Arrays that a thread takes again are its own, and do not outlive the pass."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from provenance.aggregation import aggregate_arrays
from provenance.aggregation.combining import combined
from provenance.aggregation.rule import Combination
from provenance.aggregation.scratch import forget, scratch


def test_a_name_stands_for_the_same_memory_until_it_is_forgotten() -> None:
    first = scratch("one", (4, 8), np.float32)
    assert np.shares_memory(first, scratch("one", (3,), np.int64))
    assert not np.shares_memory(first, scratch("two", (4, 8), np.float32))
    forget()
    assert not np.shares_memory(first, scratch("one", (4, 8), np.float32))


def test_rows_begin_with_a_cache_line() -> None:
    assert all(scratch("one", (size,), np.uint8).ctypes.data % 64 == 0 for size in (1, 100, 10**6))


def test_each_thread_has_its_own() -> None:
    found = []
    other = threading.Thread(target=lambda: found.append(scratch("one", (8,), np.float32)))
    other.start()
    other.join()
    assert not np.shares_memory(found[0], scratch("one", (8,), np.float32))


def test_results_are_not_overwritten_by_the_next_call() -> None:
    rows = np.random.default_rng(0).standard_normal((9, 70_000), np.float32)
    for rule in ("median", "trimmed-mean", "meamed"):
        found = aggregate_arrays(rows, rule=rule, faulty=2)
        before = found.copy()
        aggregate_arrays(-rows, rule=rule, faulty=2)
        assert (found == before).all()


@pytest.mark.parametrize("columns", [1, 2, 3, 17, 16_385])
def test_weighted_rows_are_added_one_after_the_other(columns: int) -> None:
    rows = np.random.default_rng(0).standard_normal((40, columns), np.float32)
    weights = np.random.default_rng(1).random(40)
    found = combined(rows, range(40), Combination(weights), checked=False)
    wanted = np.zeros(columns)
    for row, weight in zip(rows, weights, strict=True):
        wanted += row.astype(np.float64) * weight
    assert found.tobytes() == wanted.tobytes()
