"""Label flip: honest training on data whose labels are wrong."""

from __future__ import annotations

from provenance.aggregation.attacks.model import Attack, Attempt, Scene

__all__ = ["LABEL_FLIP"]


def _craft(scene: Scene) -> Attempt:
    return Attempt(scene.own_flipped)


LABEL_FLIP = Attack("label-flip", "updates from data with wrong labels", _craft)
