"""Sybil: each attacker signs with many keys of its own making, to be a majority."""

from __future__ import annotations

from provenance.aggregation.attacks.inner_product import INNER_PRODUCT
from provenance.aggregation.attacks.model import Attack, Attempt, Scene

__all__ = ["SYBIL"]


def _craft(scene: Scene) -> Attempt:
    return Attempt(
        INNER_PRODUCT.craft(scene).rows,
        "dropped: every key but those of the roster, one update a contributor",
    )


SYBIL = Attack("sybil", "inner-product manipulation signed with many new keys", _craft)
