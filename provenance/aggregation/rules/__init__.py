"""Aggregation rules, one a file, and the table of them."""

from __future__ import annotations

from collections.abc import Mapping

from provenance.aggregation.rules.geometric_median import GEOMETRIC_MEDIAN
from provenance.aggregation.rules.krum import KRUM, MULTI_KRUM
from provenance.aggregation.rules.mean import MEAN
from provenance.aggregation.rules.median import MEDIAN
from provenance.aggregation.rules.model import Rule
from provenance.aggregation.rules.trimmed_mean import TRIMMED_MEAN

__all__ = ["RULES"]

RULES: Mapping[str, Rule] = {
    rule.name: rule
    for rule in (
        MEAN,
        MEDIAN,
        TRIMMED_MEAN,
        KRUM,
        MULTI_KRUM,
        GEOMETRIC_MEDIAN,
    )
}
