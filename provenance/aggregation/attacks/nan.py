"""NaN: one number that is none, which a plain mean passes on to the model."""

from __future__ import annotations

from provenance.aggregation.attacks.model import Attack, Attempt, Scene
from provenance.aggregation.updates import UnusableUpdateError, refuse_unusable

__all__ = ["NAN"]


def _craft(scene: Scene) -> Attempt:
    rows = scene.own.copy()
    rows[:, 0] = float("nan")
    try:
        refuse_unusable(rows)
    except UnusableUpdateError as problem:
        return Attempt(rows[:0], f"dropped: {problem}")
    return Attempt(rows)


NAN = Attack("nan", "updates with one NaN", _craft)
