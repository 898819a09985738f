"""XGBoost's models in JSON and UBJSON: nothing in them is code; trees must lead to their own nodes alone.

Format: the JSON Schema ``doc/model.schema`` of XGBoost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from provenance.scanning.context import Context
from provenance.scanning.formats.json_text import NotJson, TooDeep, decode_json
from provenance.scanning.formats.ubjson import BrokenUbjson, decode_ubjson
from provenance.scanning.readers import Reader

__all__ = ["read_xgboost"]

_MAX_BYTES: Final = 256 << 20
_TOP: Final = frozenset(("learner", "version", "Config"))
_LEARNER: Final = frozenset(
    (
        *(
            "attributes",
            "feature_names",
            "feature_types",
            "gradient_booster",
            "learner_model_param",
            "objective",
        ),
        *("cats", "learner_train_param", "metrics", "generic_param"),
    )
)
_BOOSTERS: Final = ("gbtree", "gblinear", "dart")
_NONE: Final = -1
_ROOT: Final = 2**31 - 1  # the parent of a root


class _Broken(Exception):
    """The model breaks a rule of its schema."""


class _Unknown(Exception):
    """The model has a part that this version does not know."""


def read_xgboost(context: Context, reader: Reader) -> None:
    """Decode and check the whole model; FMT009 where it breaks a rule, FMT016 where it is too large."""
    if reader.size > _MAX_BYTES:
        context.add("FMT016", f"the model is larger than {_MAX_BYTES >> 20} MiB")
        return
    data = reader.read_at(0, reader.size)
    try:
        _check_model(_decoded(data))
    except TooDeep:
        context.add("FMT016", "values lie deeper in one another than is read")
    except _Unknown as error:
        context.add("FMT016", str(error))
    except (NotJson, BrokenUbjson, _Broken) as error:
        context.add("FMT009", str(error) or "the model is no JSON")


def _decoded(data: bytes) -> Any:
    """The value; JSON begins with a quote behind the brace, and UBJSON with the type of a length."""
    return decode_json(data) if data[1:].lstrip()[:1] in (b'"', b"}") else decode_ubjson(data)


def _check_model(model: Any) -> None:
    top = _mapping(model, "the model")
    _only(top, _TOP, "the model")
    learner = _mapping(top.get("learner"), "learner")
    _only(learner, _LEARNER, "learner")
    attributes = _mapping(learner.get("attributes", {}), "attributes")
    if not all(isinstance(value, str) for value in attributes.values()):
        raise _Broken("an attribute is no text")
    if not isinstance(_mapping(learner.get("objective"), "objective").get("name"), str):
        raise _Broken("the objective has no name")
    _check_booster(_mapping(learner.get("gradient_booster"), "gradient_booster"))


def _check_booster(booster: Mapping[str, Any]) -> None:
    name = booster.get("name")
    if name not in _BOOSTERS:
        raise _Broken(f"the booster {str(name)[:60]!r} is none of XGBoost's")
    if name == "gblinear" or not {"model", "gbtree"} & booster.keys():  # linear, or settings without a model
        return
    inner = _mapping(booster.get("gbtree"), "gbtree") if name == "dart" else booster
    model = _mapping(inner.get("model"), "model")
    trees = model.get("trees")
    if not isinstance(trees, list):
        raise _Broken("trees is no list")
    for index, tree in enumerate(trees):
        _check_tree(_mapping(tree, f"tree {index}"), f"tree {index}")


def _check_tree(tree: Mapping[str, Any], where: str) -> None:
    """Children and parents must be nodes of the same tree, and every array as long as there are nodes."""
    nodes = _count(_mapping(tree.get("tree_param"), where).get("num_nodes"), where)
    left, right = (
        _integers(tree, "left_children", nodes, where),
        _integers(tree, "right_children", nodes, where),
    )
    parents = _integers(tree, "parents", nodes, where)
    for children in (left, right):
        if nodes and not bool(((children >= _NONE) & (children < nodes)).all()):
            raise _Broken(f"{where}: a child is no node of the tree")
    if nodes and not bool((((parents >= _NONE) & (parents < nodes)) | (parents == _ROOT)).all()):
        raise _Broken(f"{where}: a parent is no node of the tree")
    indices = _integers(tree, "split_indices", nodes, where)
    if nodes and not bool((indices >= 0).all()):
        raise _Broken(f"{where}: a feature has a negative number")
    conditions = tree.get("split_conditions")
    if conditions is None or len(conditions) != nodes:
        raise _Broken(f"{where}: split_conditions has not one item a node")


def _integers(tree: Mapping[str, Any], name: str, length: int, where: str) -> Any:
    import numpy as np

    try:
        found = np.asarray(tree[name])
    except (KeyError, ValueError, OverflowError, TypeError):
        raise _Broken(f"{where}: {name} is no list of numbers") from None
    if found.shape != (length,) or (length and found.dtype.kind not in "iu"):
        raise _Broken(f"{where}: {name} has not one number a node")
    return found


def _count(value: Any, where: str) -> int:
    text = str(value)
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise _Broken(f"{where}: the number of nodes is none")
    return int(text)


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _Broken(f"{name} is no object")
    return value


def _only(found: Mapping[str, Any], known: frozenset[str], name: str) -> None:
    strange = sorted(set(found) - known)
    if strange:
        raise _Unknown(f"{name} has the unknown member {strange[0][:60]!r}")
