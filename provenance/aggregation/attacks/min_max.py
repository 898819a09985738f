"""Min-max and min-sum: as far from the honest mean as no honest update is from the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from provenance.aggregation.attacks.model import Attack, Attempt, Scene, all_send
from provenance.aggregation.updates import Floats, Grid

__all__ = ["MIN_MAX", "MIN_SUM"]

Measure = Callable[[Floats], float]
"""What must not be larger for the attackers than for an honest row: of its squared distances to the honest."""


def _craft(measure: Measure, scene: Scene) -> Attempt:
    most = max(measure(_squares(scene.honest, row)) for row in scene.honest)
    crafted = [
        all_send(scene.mean + _farthest(scene, direction, measure, most) * direction, scene.faulty)
        for direction in _directions(scene)
    ]
    return Attempt(max(crafted, key=scene.harm))


def _squares(honest: Grid, row: Floats) -> Floats:
    found: Floats = ((honest - row) ** 2).sum(axis=1)
    return found


def _directions(scene: Scene) -> Iterator[Floats]:
    """Against the mean, against its signs, and along the spread: the three of the paper, of length 1."""
    for direction in (-scene.mean, -np.sign(scene.mean), -scene.honest.std(axis=0)):
        length = float(np.sqrt((direction**2).sum()))
        if length:
            yield direction / length


def _farthest(scene: Scene, direction: Floats, measure: Measure, most: float) -> float:
    """Bisect for the greatest step along a direction that keeps within the measure."""
    low, high = 0.0, 2.0 * float(np.sqrt(most))
    for _ in range(60):
        middle = (low + high) / 2.0
        if measure(_squares(scene.honest, scene.mean + middle * direction)) <= most:
            low = middle
        else:
            high = middle
    return low


def _largest(squares: Floats) -> float:
    return float(squares.max())


def _sum(squares: Floats) -> float:
    return float(squares.sum())


SOURCE = "Shejwalkar and Houmansadr 2021 (NDSS)"
MIN_MAX = Attack(
    "min-max", "no farther from any honest update than they are", partial(_craft, _largest), SOURCE
)
MIN_SUM = Attack("min-sum", "no farther from all honest updates than they are", partial(_craft, _sum), SOURCE)
