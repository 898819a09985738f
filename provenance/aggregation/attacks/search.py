"""The line search by which an attack finds its strength."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from provenance.aggregation.attacks.model import Scene
from provenance.aggregation.updates import Grid

__all__ = ["strongest"]

# Powers of two that are tried first; the last, beyond all measure, is for rules that nothing is too far for.
COARSE: Final = (-3, -2, -1, 0, 1, 2, 3, 4, 6, 8, 20)
FINE: Final = (0.5, 0.25, 0.125, 0.0625)


def strongest(scene: Scene, rows_at: Callable[[float], Grid]) -> Grid:
    """Give the rows of the strength that does most harm: tried by powers of two, then narrowed around the best."""
    harms = {power: scene.harm(rows_at(2.0**power)) for power in map(float, COARSE)}
    for step in FINE:
        best = max(harms, key=lambda power: harms[power])
        for power in (best - step, best + step):
            harms[power] = scene.harm(rows_at(2.0**power))
    return rows_at(2.0 ** max(harms, key=lambda power: harms[power]))
