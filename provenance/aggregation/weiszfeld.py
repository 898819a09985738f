"""The minimiser of W |y|^2 / 2 + sum w_i |y - x_i| in Gram space: y is a combination of the rows.

Where a row is the minimiser, it is found by its condition: the others pull at it with no more than its own
weight. Else the objective is smooth around the minimiser: Weiszfeld's steps lead there, and Newton's for the
same fixed point end with the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from provenance.aggregation.arithmetic import product, solve, total
from provenance.aggregation.geometry import Geometry
from provenance.aggregation.updates import Floats, Grid

__all__ = ["minimiser"]

STEPS: Final = 1000
ENOUGH: Final = 2.0**-48
NEARLY: Final = 2.0**-40


def minimiser(space: Geometry, rights: Floats, pull: float) -> Floats:
    """Give the coefficients [n] of the minimiser; ``pull`` is W in units of the space, 0 for the geometric median.

    With W = 0 they add up to 1, else the space is about zero, to where W pulls. Where the geometric median is not
    unique (rows on one line), it is one of them.
    """
    result = np.zeros(space.n)
    voting = [row for row in range(space.n) if rights[row] > 0]
    problem = _Problem(space.gram[np.ix_(voting, voting)], rights[voting], pull)
    fitting = _rows_that_are_it(space.squares[np.ix_(voting, voting)], problem)
    if fitting:
        result[min((voting[row] for row in fitting), key=lambda row: space.rank[row])] = 1.0
    else:
        result[voting] = _converged(problem)
    return result


@dataclass(frozen=True)
class _Problem:
    gram: Grid
    rights: Floats
    pull: float


def _rows_that_are_it(squares: Grid, problem: _Problem) -> list[int]:
    apart = squares > 0
    with np.errstate(divide="ignore"):
        pulls = np.where(apart, problem.rights / np.sqrt(squares), 0.0)
    forces = -pulls
    np.fill_diagonal(forces, total(pulls.T) + problem.pull)
    own = total(np.where(apart, 0.0, problem.rights).T)
    return np.flatnonzero(_lengths(forces, product(forces, problem.gram)) <= own).tolist()


def _lengths(rows: Grid, images: Grid) -> Floats:
    """Give the lengths of combinations, from their coefficients and those times the Gram matrix."""
    lengths: Floats = np.sqrt(np.maximum(total((rows * images).T), 0.0))
    return lengths


@dataclass(frozen=True)
class _Point:
    """A combination with its distances to the rows, and the way to Weiszfeld's next one."""

    coefficients: Floats
    slopes: Grid  # half the derivatives of the squared distances
    distances: Floats
    forces: Floats
    way: Floats

    @property
    def error(self) -> float:
        return float(np.abs(self.way).max())


def _point(problem: _Problem, coefficients: Floats) -> _Point | None:
    apart = coefficients - np.eye(len(coefficients))
    slopes = product(apart, problem.gram)
    distances = _lengths(apart, slopes)
    if not distances.min() > 0:
        return None
    forces = problem.rights / distances
    way = forces / (total(forces) + problem.pull) - coefficients
    return _Point(coefficients, slopes, distances, forces, way)


def _converged(problem: _Problem) -> Floats:
    point = _point(problem, problem.rights / (total(problem.rights) + problem.pull))
    if point is None:  # the start is a row: take another
        point = _point(problem, _nudged(problem))
    last: Floats = problem.rights
    for _ in range(STEPS):
        if point is None or point.error <= ENOUGH:
            break
        last = point.coefficients
        further = _newton(problem, point)
        if further is None and point.error <= NEARLY:
            break
        point = further or _point(problem, point.coefficients + point.way)
    if point is None:
        return last
    found: Floats = point.coefficients + point.way
    return found


def _nudged(problem: _Problem) -> Floats:
    coefficients: Floats = problem.rights / (total(problem.rights) + problem.pull)
    coefficients[0] *= 0.5
    if not problem.pull:
        coefficients /= total(coefficients)
    return coefficients


def _newton(problem: _Problem, point: _Point) -> _Point | None:
    """Take Newton's step for the fixed point; None where it does not halve the error at least."""
    everything = total(point.forces) + problem.pull
    turns = -(point.forces / (point.distances * point.distances))[:, None] * point.slopes / everything
    shares = point.forces / everything
    matrix = np.eye(len(shares)) - turns + shares[:, None] * total(turns)
    with np.errstate(all="ignore"):
        step = solve(matrix, point.way)
    if step is None or not np.isfinite(step).all():
        return None
    coefficients = point.coefficients + step
    if coefficients.min() < 0:
        return None
    further = _point(problem, coefficients)
    return further if further is not None and further.error < 0.5 * point.error else None
