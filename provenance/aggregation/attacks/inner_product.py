"""Inner-product manipulation: a negative multiple of the honest mean, of the strength that harms most."""

from __future__ import annotations

from provenance.aggregation.attacks.model import Attack, Attempt, Scene, all_send
from provenance.aggregation.attacks.search import strongest

__all__ = ["INNER_PRODUCT"]


def _craft(scene: Scene) -> Attempt:
    return Attempt(strongest(scene, lambda strength: all_send(-strength * scene.mean, scene.faulty)))


INNER_PRODUCT = Attack(
    "inner-product", "a negative multiple of the honest mean", _craft, "Xie et al. 2020 (arXiv 1903.03936)"
)
