"""A little is enough: the honest mean moved by a multiple of the standard deviation in every coordinate."""

from __future__ import annotations

from provenance.aggregation.attacks.model import Attack, Attempt, Scene, all_send
from provenance.aggregation.attacks.search import strongest

__all__ = ["ALIE"]


def _craft(scene: Scene) -> Attempt:
    deviation = scene.honest.std(axis=0)
    return Attempt(
        strongest(scene, lambda strength: all_send(scene.mean - strength * deviation, scene.faulty))
    )


ALIE = Attack(
    "alie",
    "the honest mean moved within the honest spread",
    _craft,
    "Baruch et al. 2019 (arXiv 1902.06156)",
)
