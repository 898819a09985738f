"""Counter-gradient: from public traffic alone, send what takes the mean to a target.

The result of the last round gives the sum of the others' updates, for one's own are known. If the others send
nearly the same again, n target - their sum takes a plain mean to the target, whatever it is. The same update can
be had by data poisoning: see ``logistic.poisoned_samples``.
"""

from __future__ import annotations

import numpy as np

from provenance.aggregation.attacks.model import Attack, Attempt, Scene, all_send
from provenance.aggregation.attacks.search import strongest
from provenance.aggregation.updates import Grid

__all__ = ["COUNTER_GRADIENT"]


def _craft(scene: Scene) -> Attempt:
    honest, faulty = len(scene.previous), scene.faulty
    estimate = scene.previous.mean(axis=0)
    spread = float(np.sqrt(((scene.previous - estimate) ** 2).sum() / honest))
    away = -estimate / max(float(np.sqrt((estimate**2).sum())), 1e-300)

    def towards(strength: float) -> Grid:
        target = estimate + strength * spread * away
        return all_send(((honest + faulty) * target - honest * estimate) / faulty, faulty)

    return Attempt(strongest(scene, towards))


COUNTER_GRADIENT = Attack(
    "counter-gradient",
    "what would take the mean to a target, by last round's traffic",
    _craft,
    "Farhadkhani et al. 2022 (arXiv 2202.08578)",
)
