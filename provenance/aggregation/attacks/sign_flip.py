"""Sign flip: each attacker sends its own update with the sign turned."""

from __future__ import annotations

from provenance.aggregation.attacks.model import Attack, Attempt, Scene

__all__ = ["SIGN_FLIP"]


def _craft(scene: Scene) -> Attempt:
    return Attempt(-scene.own)


SIGN_FLIP = Attack("sign-flip", "the attackers' own updates with the sign turned", _craft)
