"""An attacker who forges a model of XGBoost's or LightGBM's: children and features that their readers in C++ would follow."""

from __future__ import annotations

import copy
import json
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.scanning.formats.ubjson import BrokenUbjson, decode_ubjson
from provenance.scanning.verb import scan_bytes

TREE = {
    "tree_param": {"num_nodes": "3", "num_feature": "2", "size_leaf_vector": "1", "num_deleted": "0"},
    "left_children": [1, -1, -1],
    "right_children": [2, -1, -1],
    "parents": [2147483647, 0, 0],
    "split_indices": [1, 0, 0],
    "split_conditions": [0.5, 1.0, -1.0],
    "default_left": [0, 0, 0],
    "categories": [],
}
BOOSTER = {
    "name": "gbtree",
    "model": {"gbtree_model_param": {"num_trees": "1"}, "tree_info": [0], "trees": [TREE]},
}
MODEL = {
    "learner": {
        "attributes": {"best_iteration": "3"},
        "feature_names": ["a", "b"],
        "feature_types": [],
        "gradient_booster": BOOSTER,
        "learner_model_param": {"base_score": "5E-1", "num_class": "0", "num_feature": "2"},
        "objective": {"name": "binary:logistic"},
    },
    "version": [3, 0, 0],
}


def length(value: int) -> bytes:
    return b"L" + struct.pack(">q", value)


def ubj(value: object) -> bytes:
    """UBJSON as XGBoost writes it."""
    if isinstance(value, dict):
        members = (length(len(key)) + key.encode() + ubj(item) for key, item in value.items())
        return b"{" + b"".join(members) + b"}"
    if isinstance(value, list) and value and all(type(item) is int for item in value):
        return b"[$l#" + length(len(value)) + struct.pack(f">{len(value)}i", *value)
    if isinstance(value, list):
        return b"[#" + length(len(value)) + b"".join(map(ubj, value))
    if isinstance(value, str):
        return b"S" + length(len(value)) + value.encode()
    return b"d" + struct.pack(">f", value)


def changed(**members: object) -> dict:
    model = copy.deepcopy(MODEL)
    model["learner"]["gradient_booster"]["model"]["trees"][0].update(members)
    return model


def judged(data: bytes) -> tuple[str, str, set[str]]:
    scan = scan_bytes(data, "m.bin")
    return scan.files[0].format, scan.decision, {finding.rule for finding in scan.findings}


ORDINARY = [
    MODEL,
    {
        **MODEL,
        "learner": {
            **MODEL["learner"],
            "gradient_booster": {"name": "dart", "gbtree": BOOSTER, "weight_drop": [1.0]},
        },
    },
    {
        **MODEL,
        "learner": {
            **MODEL["learner"],
            "gradient_booster": {"name": "gblinear", "model": {"weights": [0.5]}},
        },
    },
]


@pytest.mark.parametrize("model", ORDINARY)
def test_ordinary_models_pass(model):
    assert judged(json.dumps(model).encode()) == ("xgboost", "accepted", set())
    assert judged(ubj(model)) == ("xgboost", "accepted", set())


@pytest.mark.parametrize(
    "model",
    [
        changed(left_children=[5, -1, -1]),
        changed(right_children=[2, -9, -1]),
        changed(parents=[0, 7, 0]),
        changed(split_indices=[-1, 0, 0]),
        changed(left_children=[1, -1]),
        changed(split_conditions=[0.5]),
        changed(tree_param={"num_nodes": "100000000"}),
        changed(tree_param={"num_nodes": "-3"}),
        changed(left_children="abc"),
        changed(left_children=[[1], [2], [3]]),
        {**MODEL, "learner": {**MODEL["learner"], "gradient_booster": {"name": "own", "model": {}}}},
        {**MODEL, "learner": {**MODEL["learner"], "objective": {}}},
    ],
)
def test_forged_models(model):
    assert judged(json.dumps(model).encode()) == ("xgboost", "refused", {"FMT009"})
    if "abc" not in str(model):
        assert judged(ubj(model)) == ("xgboost", "refused", {"FMT009"})


def test_unknown_members_leave_the_question_open():
    assert judged(json.dumps({**MODEL, "auto_map": {}}).encode()) == ("xgboost", "undecided", {"FMT016"})


@pytest.mark.parametrize(
    "data",
    [
        ubj(MODEL) + b"x",
        ubj(MODEL)[:-1],
        ubj(MODEL).replace(b"[$l#" + length(3), b"[$l#" + length(2**62), 1),
        ubj(MODEL).replace(b"[#" + length(1), b"[#" + length(2**62), 1),
        ubj(MODEL).replace(b"[#" + length(1), b"[$Z#" + length(2**40), 1),
        ubj(MODEL).replace(length(7) + b"version", length(-1) + b"version"),
        b"{" + length(7) + b"learner" + (b"{" + length(1) + b"a") * 5000,
        ubj(MODEL)[:-1] + length(7) + b"learner{}}",
    ],
)
def test_forged_lengths(data):
    assert judged(data) == ("xgboost", "refused", {"FMT009"})


@given(
    st.binary(max_size=200)
    | st.lists(
        st.sampled_from(
            [b"{", b"}", b"[", b"]", b"$", b"#", b"L", b"\0" * 8, b"U\1a", b"S", b"Z", b"d", length(3)]
        ),
        max_size=40,
    ).map(b"".join)
)
@settings(max_examples=500, deadline=None)
def test_nothing_else_is_raised(data):
    try:
        decode_ubjson(data)
    except BrokenUbjson as error:
        assert str(error)


HEADER = "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=1\nobjective=binary sigmoid:1\nfeature_names=a b\n"
STEM = "\nTree=0\nnum_leaves=3\nnum_cat=1\nsplit_feature=0 1\nthreshold=0.5 0\ndecision_type=2 1\nleft_child=1 -1\nright_child=-2 -3\ncat_boundaries=0 2\ncat_threshold=5 1\nleaf_value=1 2 3e-5\nshrinkage=0.1\n\n"
END = "\nTree=1\nnum_leaves=1\nnum_cat=0\nleaf_value=0.5\n\nend of trees\n\nfeature_importances:\na=1\n\nparameters:\n[boosting: gbdt]\n\nend of parameters\n\npandas_categorical:null\n"


def test_ordinary_text():
    assert judged((HEADER + STEM + END).encode()) == ("lightgbm", "accepted", set())
    assert judged((HEADER + STEM + END).replace("\n", "\r\n").encode()) == ("lightgbm", "accepted", set())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("left_child=1 -1", "left_child=2 -1"),
        ("left_child=1 -1", "left_child=1 -4"),
        ("left_child=1 -1", "left_child=1"),
        ("split_feature=0 1", "split_feature=0 2"),
        ("num_leaves=3", "num_leaves=2"),
        ("num_leaves=3", "num_leaves=999999999"),
        ("cat_boundaries=0 2", "cat_boundaries=0 3"),
        ("cat_boundaries=0 2", "cat_boundaries=1 2"),
        ("threshold=0.5 0", "threshold=0.5"),
        ("leaf_value=1 2 3e-5", "leaf_value=1 2"),
        ("num_cat=1", "num_cat=1\nnum_cat=1"),
        ("max_feature_idx=1", "max_feature_idx=x"),
        ("end of trees", ""),
        ("shrinkage=0.1", "import os"),
    ],
)
def test_forged_text(old, new):
    text = HEADER + STEM + END
    assert old in text
    assert judged(text.replace(old, new, 1).encode()) == ("lightgbm", "refused", {"FMT009"})
