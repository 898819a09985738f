"""Attacks on aggregation, one a file, and the table of them: what a red team tries against a rule."""

from __future__ import annotations

from collections.abc import Mapping

from provenance.aggregation.attacks.alie import ALIE
from provenance.aggregation.attacks.counter_gradient import COUNTER_GRADIENT
from provenance.aggregation.attacks.equivocation import EQUIVOCATION
from provenance.aggregation.attacks.inner_product import INNER_PRODUCT
from provenance.aggregation.attacks.label_flip import LABEL_FLIP
from provenance.aggregation.attacks.mimic import MIMIC
from provenance.aggregation.attacks.min_max import MIN_MAX, MIN_SUM
from provenance.aggregation.attacks.model import Attack, Attempt, Scene
from provenance.aggregation.attacks.nan import NAN
from provenance.aggregation.attacks.replay import REPLAY
from provenance.aggregation.attacks.sign_flip import SIGN_FLIP
from provenance.aggregation.attacks.sybil import SYBIL
from provenance.aggregation.attacks.weight_inflation import WEIGHT_INFLATION

__all__ = ["ATTACKS", "Attack", "Attempt", "Scene"]

ATTACKS: Mapping[str, Attack] = {
    attack.name: attack
    for attack in (
        SIGN_FLIP,
        INNER_PRODUCT,
        ALIE,
        MIMIC,
        MIN_MAX,
        MIN_SUM,
        COUNTER_GRADIENT,
        LABEL_FLIP,
        NAN,
        WEIGHT_INFLATION,
        REPLAY,
        EQUIVOCATION,
        SYBIL,
    )
}
