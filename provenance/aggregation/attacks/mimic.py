"""Mimic: all attackers repeat one honest contributor, whose voice then counts several times."""

from __future__ import annotations

from provenance.aggregation.attacks.model import Attack, Attempt, Scene, all_send

__all__ = ["MIMIC"]


def _craft(scene: Scene) -> Attempt:
    candidates = [all_send(row, scene.faulty) for row in scene.honest]
    return Attempt(max(candidates, key=scene.harm))


MIMIC = Attack(
    "mimic", "all repeat one honest contributor", _craft, "Karimireddy et al. 2022 (arXiv 2006.09365)"
)
