"""Weight inflation: a sign flip that claims to come from a million times as many examples."""

from __future__ import annotations

from provenance.aggregation.attacks.model import Attack, Attempt, Scene

__all__ = ["WEIGHT_INFLATION"]


def _craft(scene: Scene) -> Attempt:
    return Attempt(-scene.own, "the claimed weight has no effect: voting rights come from the roster")


WEIGHT_INFLATION = Attack("weight-inflation", "a sign flip that claims a million times the weight", _craft)
