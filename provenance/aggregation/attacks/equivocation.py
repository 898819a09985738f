"""Equivocation: two signed updates by one contributor for one round, to show different ones to different people."""

from __future__ import annotations

from provenance.aggregation.attacks.model import Attack, Attempt, Scene

__all__ = ["EQUIVOCATION"]


def _craft(scene: Scene) -> Attempt:
    return Attempt(scene.own[:0], "dropped: both updates, and the pair is kept as evidence")


EQUIVOCATION = Attack("equivocation", "two signed updates for one round", _craft)
