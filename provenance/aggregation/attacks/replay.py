"""Replay: updates that were signed for an earlier round, sent once more."""

from __future__ import annotations

from provenance.aggregation.attacks.model import Attack, Attempt, Scene

__all__ = ["REPLAY"]


def _craft(scene: Scene) -> Attempt:
    return Attempt(scene.own[:0], "dropped: signed for another round and another base model")


REPLAY = Attack("replay", "signed updates of an earlier round", _craft)
