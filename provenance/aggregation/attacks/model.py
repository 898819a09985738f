"""What an attack is: from what the attackers know to what they send."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from provenance.aggregation.updates import Floats, Grid

__all__ = ["Attack", "Attempt", "Scene", "all_send"]


@dataclass(frozen=True)
class Scene:
    """What the attackers know of a round: everything, as is prudent to assume.

    ``honest`` [h, d] are this round's honest updates, ``previous`` [h, d] those of the round before, ``own`` [f, d]
    what the attackers would send if they were honest, ``own_flipped`` that from data with wrong labels. ``harm``
    tells how far the result is from the honest mean when they send given rows [f, d].
    """

    honest: Grid
    previous: Grid
    own: Grid
    own_flipped: Grid
    harm: Callable[[Grid], float]

    @property
    def faulty(self) -> int:
        """How many attackers there are."""
        return len(self.own)

    @property
    def mean(self) -> Floats:
        """The honest mean."""
        found: Floats = self.honest.mean(axis=0)
        return found


@dataclass(frozen=True)
class Attempt:
    """The rows [k, d] that reach the rule, and what became of the rest, by whichever check of a round."""

    rows: Grid
    stopped: str = ""


@dataclass(frozen=True)
class Attack:
    """An attack, and the source of its idea."""

    name: str
    title: str
    craft: Callable[[Scene], Attempt]
    source: str = ""


def all_send(row: Floats, faulty: int) -> Grid:
    """Let every attacker send the same row."""
    return np.repeat(row[None], faulty, axis=0)
