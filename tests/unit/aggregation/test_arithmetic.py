"""Sums run in one order, to the bit: that is what makes results reproducible."""

import numpy as np
import pytest

from provenance.aggregation.arithmetic import dominant, product, quantised, solve, total


@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (3, 7, 1), (4, 9, 2), (20, 20, 20), (50, 50, 50), (200, 130, 60)]
)
def test_products_add_from_the_first_to_the_last(shape: tuple[int, int, int]) -> None:
    m, k, n = shape
    random = np.random.default_rng(0)
    left, right = (
        random.normal(size=(m, k)),
        random.normal(size=(k, n)) * 10.0 ** random.integers(-9, 9, (k, 1)),
    )
    wanted = np.zeros((m, n))
    for each in range(k):
        wanted = wanted + left[:, each, None] * right[each]
    assert product(left, right).tobytes() == wanted.tobytes()
    assert product(left, right[:, 0]).tobytes() == np.ascontiguousarray(wanted[:, 0]).tobytes()


def test_totals_add_from_the_first_to_the_last() -> None:
    values = np.random.default_rng(0).normal(size=(1000, 3)) * np.logspace(-9, 9, 1000)[:, None]
    wanted = np.zeros(3)
    for row in values:
        wanted = wanted + row
    assert total(values).tobytes() == wanted.tobytes()


def test_the_dominant_pair_is_that_of_lapack() -> None:
    for seed in range(50):
        random = np.random.default_rng(seed)
        half = random.normal(size=(int(random.integers(1, 30)), int(random.integers(1, 60))))
        matrix = half @ half.T
        value, vector = dominant(matrix)
        values, vectors = np.linalg.eigh(matrix)
        assert value == pytest.approx(values[-1], rel=1e-12)
        assert abs(vector @ vectors[:, -1]) == pytest.approx(1, abs=1e-9)


def test_a_matrix_of_zeros_has_no_direction() -> None:
    assert dominant(np.zeros((4, 4)))[0] == 0


def test_equations_are_solved_and_singular_ones_refused() -> None:
    random = np.random.default_rng(0)
    matrix, right = random.normal(size=(30, 30)), random.normal(size=30)
    found = solve(matrix, right)
    assert found is not None
    assert np.allclose(matrix @ found, right)
    matrix[3] = 0
    assert solve(matrix, right) is None


def test_coefficients_have_48_significant_bits() -> None:
    found = quantised(np.array([1 / 3, 0.5, 2.0**-300 / 3, 0.0]))
    third = round(2**49 / 3) / 2**49
    assert found.tolist() == [third, 0.5, third * 2.0**-300, 0.0]
