"""The profile ``sklearn``: estimators of scikit-learn's public modules, beside ``numpy`` and ``scipy``.

Estimators are made without their __init__ and get a state of plain values, arrays and other estimators. Not proven:
that a model computes what it should; that the nodes of a tree lead to nodes of it (a forged tree makes ``predict``
read beyond its memory); that a regular expression of a vectoriser ends in good time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from provenance.scanning.pickles.allowlist import sklearn_names as names
from provenance.scanning.pickles.allowlist.model import Entry, Use

__all__ = ["ENTRIES"]


def _all(by_module: Mapping[str, str], use: Use, reason: str, *, state: bool = True) -> Iterator[Entry]:
    for module, listed in by_module.items():
        for name in listed.split():
            check = "inert" if use in ("class", "function") else ""
            yield Entry(module, name, use, reason, check=check, state=state)


_TREES = tuple(
    entry
    for kind in ("BallTree", "KDTree")
    for module in ("sklearn.neighbors._ball_tree", "sklearn.neighbors._kd_tree")
    for name in (kind, f"{kind}64", f"{kind}32")
    for entry in (Entry(module, name, "constant", "a search tree in C, as a value"),)
)
_MAKERS = tuple(
    Entry(
        f"sklearn.{module}",
        "newObj",
        "function",
        "makes an allowed object of C",
        check="reconstruct_c",
        state=True,
    )
    for module in ("neighbors._ball_tree", "neighbors._kd_tree", "metrics._dist_metrics")
)
_UFUNCS = "log log1p log2 log10 exp expm1 sqrt square absolute abs reciprocal cbrt mean median sum std var sin cos tanh"

ENTRIES: tuple[Entry, ...] = (
    *_all(names.ESTIMATORS, "new", "an estimator: its state is set as attributes"),
    *_all(names.KERNELS, "new", "a kernel: its state is set as attributes"),
    *_all(names.LOSSES, "new", "a loss: its state is set as attributes"),
    *_all(names.LINKS, "class", "a link function: its state is set as attributes"),
    *_all(names.SPLITS, "new", "a way to split data: its state is set as attributes"),
    *_all(names.C_LOSSES, "class", "a loss in C, of numbers"),
    *_all(names.C_LOSS_MAKERS, "function", "makes a loss in C, of numbers"),
    *_all(names.DISTANCES, "constant", "a distance in C, as a value"),
    *_all(names.SCORES, "constant", "a score, as a value: arrays in, numbers out"),
    *_all(names.FEATURE_SCORES, "constant", "a score of features, as a value: arrays in, arrays out"),
    *_TREES,
    *_MAKERS,
    Entry(
        "sklearn.tree._tree", "Tree", "class", "a decision tree in C, of arrays", check="inert", state=True
    ),
    Entry("sklearn.utils._bunch", "Bunch", "class", "a dict", check="inert", takes="items", state=True),
    Entry("sklearn.utils", "Bunch", "class", "a dict", check="inert", takes="items", state=True),
    Entry("sklearn.cluster._kmeans", "_kmeans_single_lloyd", "constant", "one run of k-means, as a value"),
    Entry("sklearn.cluster._kmeans", "_kmeans_single_elkan", "constant", "one run of k-means, as a value"),
    *(Entry("numpy", name, "constant", "a function of numbers, as a value") for name in _UFUNCS.split()),
)
