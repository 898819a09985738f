"""The profile ``lightgbm``: its estimators and boosters, beside ``sklearn``.

Not proven: that lightgbm's own reader, in C++, withstands a forged model within the booster's text.
"""

from __future__ import annotations

from provenance.scanning.pickles.allowlist.model import Entry, classes

__all__ = ["ENTRIES"]

ENTRIES: tuple[Entry, ...] = (
    *classes("lightgbm.basic", "Booster", "a model as text"),
    *classes(
        "lightgbm.sklearn",
        "LGBMModel LGBMClassifier LGBMRegressor LGBMRanker _LGBMLabelEncoder",
        "an estimator: its state is set as attributes",
    ),
)
