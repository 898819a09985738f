"""Fitted models, as joblib and pickle write them: they pass under the profile of their library."""

from __future__ import annotations

import io
import pickle
import warnings
from collections.abc import Iterator
from typing import Any

__all__ = ["model_files"]


def _estimators() -> Iterator[tuple[str, Any]]:
    """All of scikit-learn's estimators that can be made without arguments, and compositions of them."""
    from sklearn.utils import all_estimators

    for name, cls in all_estimators():
        try:
            yield name, cls()
        except TypeError:
            continue  # it needs another estimator: see below
    yield from _compositions()


def _compositions() -> Iterator[tuple[str, Any]]:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import StackingClassifier, VotingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import FeatureUnion, make_pipeline
    from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier

    logistic, tree = LogisticRegression(), DecisionTreeClassifier(max_depth=3)
    both = [("a", logistic), ("b", tree)]
    yield "pipeline", make_pipeline(StandardScaler(), SVC(probability=False))
    columns = ColumnTransformer(
        [("n", StandardScaler(), [0, 1]), ("c", OneHotEncoder(handle_unknown="ignore"), [2])]
    )
    yield "columns", make_pipeline(columns, logistic)
    yield "union", make_pipeline(FeatureUnion([("s", StandardScaler()), ("m", MinMaxScaler())]), tree)
    yield "voting", VotingClassifier(both)
    yield "stacking", StackingClassifier(both)
    yield "calibrated", CalibratedClassifierCV(logistic, cv=2)
    yield "one-vs-rest", OneVsRestClassifier(logistic)
    yield "grid", GridSearchCV(tree, {"max_depth": [1, 2]}, cv=2)
    yield "random-search", RandomizedSearchCV(tree, {"max_depth": [1, 2, 3]}, n_iter=2, cv=2)


def _fitted() -> Iterator[tuple[str, Any]]:
    import numpy as np

    rng = np.random.default_rng(0)
    x, y = np.abs(rng.normal(size=(60, 4))), rng.integers(0, 3, 60)
    for name, estimator in _estimators():
        for inputs in (
            (x, y),
            (x, (y > 0).astype(int)),
            (["a text", "more of it", "a b c d"] * 20, y),
            (y, y),
        ):
            try:
                estimator.fit(*inputs)
            except Exception:  # noqa: BLE001 - not every estimator takes every input
                continue
            break
        yield name, estimator


def _boosters() -> Iterator[tuple[str, Any]]:
    import lightgbm
    import numpy as np
    import xgboost

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 4)), rng.integers(0, 2, 60)
    for cls in (xgboost.XGBClassifier, xgboost.XGBRegressor, xgboost.XGBRFClassifier):
        yield f"xgboost-{cls.__name__}", cls(n_estimators=3).fit(x, y)
    yield "xgboost-Booster", xgboost.train({}, xgboost.DMatrix(x, y), 3)
    for cls in (lightgbm.LGBMClassifier, lightgbm.LGBMRegressor):
        yield f"lightgbm-{cls.__name__}", cls(n_estimators=3, verbose=-1).fit(x, y)
    yield "lightgbm-Booster", lightgbm.train({"verbose": -1}, lightgbm.Dataset(x, y), 3)


def _frames() -> Iterator[tuple[str, Any]]:
    import numpy as np
    import pandas as pd
    from scipy import interpolate, sparse, spatial

    frame = pd.DataFrame({"a": [1, 2], "b": [1.5, None], "c": ["x", "y"], "d": [True, False]})
    frame["e"] = pd.to_datetime(["2026-01-01", "2026-01-02"])
    frame["f"] = pd.Categorical(["u", "v"])
    yield "pandas-frame", frame
    yield "pandas-series", frame["a"]
    yield "pandas-index", frame.set_index(["a", "c"])
    yield "pandas-times", frame.set_index("e").tz_localize("UTC")
    yield "pandas-nullable", frame[["a", "b", "d"]].convert_dtypes()
    for kind in ("csr", "csc", "coo", "bsr", "dia", "lil", "dok"):
        yield f"scipy-{kind}", sparse.random(5, 5, 0.5, format=kind, random_state=0)
        yield f"scipy-{kind}-array", getattr(sparse, f"{kind}_array")(np.eye(3))
    yield "scipy-spline", interpolate.CubicSpline([0, 1, 2, 3], [0, 1, 0, 1])
    yield "scipy-tree", spatial.cKDTree(np.eye(3))
    yield "numpy-generator", np.random.default_rng(0)
    yield "numpy-random-state", np.random.RandomState(0)
    yield "numpy-masked", np.ma.masked_array([1, 2], [True, False])


def model_files() -> Iterator[tuple[str, bytes]]:
    """(Name, bytes): each model by joblib, joblib packed, and pickle."""
    import joblib

    warnings.simplefilter("ignore")
    for source in (_fitted(), _boosters(), _frames()):
        for name, model in source:
            for suffix, compress in ((".joblib", 0), (".joblib.z", ("zlib", 3)), (".joblib.gz", ("gzip", 3))):
                file = io.BytesIO()
                joblib.dump(model, file, compress=compress)
                yield f"{name}{suffix}", file.getvalue()
            for protocol in (2, 4, 5):
                yield f"{name}.{protocol}.pkl", pickle.dumps(model, protocol)
