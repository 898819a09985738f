"""Aggregation rules, one a file, and the table of them."""

from __future__ import annotations

from collections.abc import Mapping

from provenance.aggregation.rule import Rule
from provenance.aggregation.rules.bounded_influence import BOUNDED_INFLUENCE
from provenance.aggregation.rules.bulyan import BULYAN
from provenance.aggregation.rules.caf import CAF
from provenance.aggregation.rules.centered_clipping import CENTERED_CLIPPING
from provenance.aggregation.rules.cge import CGE
from provenance.aggregation.rules.geometric_median import GEOMETRIC_MEDIAN
from provenance.aggregation.rules.krum import KRUM, MULTI_KRUM
from provenance.aggregation.rules.mda import MDA
from provenance.aggregation.rules.meamed import MEAMED
from provenance.aggregation.rules.mean import MEAN
from provenance.aggregation.rules.median import MEDIAN
from provenance.aggregation.rules.monna import MONNA
from provenance.aggregation.rules.smea import SMEA
from provenance.aggregation.rules.trimmed_mean import TRIMMED_MEAN

__all__ = ["RULES"]

RULES: Mapping[str, Rule] = {
    rule.name: rule
    for rule in (
        MEAN,
        MEDIAN,
        TRIMMED_MEAN,
        MEAMED,
        KRUM,
        MULTI_KRUM,
        MDA,
        GEOMETRIC_MEDIAN,
        BOUNDED_INFLUENCE,
        CENTERED_CLIPPING,
        CGE,
        MONNA,
        CAF,
        SMEA,
        BULYAN,
    )
}
