"""The profile ``xgboost``: its estimators and boosters, beside ``sklearn``.

Not proven: that xgboost's own reader, in C++, withstands a forged model within the booster's bytes.
"""

from __future__ import annotations

from provenance.scanning.pickles.allowlist.model import Entry, classes

__all__ = ["ENTRIES"]

ENTRIES: tuple[Entry, ...] = (
    *classes("xgboost.core", "Booster", "a model as bytes"),
    *classes(
        "xgboost.sklearn",
        "XGBModel XGBClassifier XGBRegressor XGBRanker XGBRFClassifier XGBRFRegressor",
        "an estimator: its state is set as attributes",
    ),
)
