"""LightGBM's models in text: nothing in them is code; that the trees lead nowhere but to their own nodes is checked.

Format: ``GBDT::SaveModelToString`` and ``Tree::ToString`` of LightGBM. A child below zero is a leaf: ``~child``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from provenance.scanning.context import Context
from provenance.scanning.readers import Reader

__all__ = ["read_lightgbm"]

_MAX_BYTES: Final = 256 << 20
_MAX_LEAVES: Final = 1 << 20
_TREE: Final = re.compile(r"Tree=\d{1,9}\Z")
_LINE: Final = re.compile(r"[a-z_]{1,40}=[^\x00-\x08]*\Z|(?:average_output|linear_tree)\Z|\Z")
_INTEGERS: Final = re.compile(r"-?\d{1,10}(?: -?\d{1,10})*\Z")


class _Broken(Exception):
    """The model breaks a rule of its format."""


def read_lightgbm(context: Context, reader: Reader) -> None:
    """Check the header and every tree; FMT009 where a rule is broken, FMT016 where the model is too large."""
    if reader.size > _MAX_BYTES:
        context.add("FMT016", f"the model is larger than {_MAX_BYTES >> 20} MiB")
        return
    try:
        text = reader.read_at(0, reader.size).decode().replace("\r\n", "\n")
    except UnicodeDecodeError:
        context.add("FMT009", "the model is no UTF-8")
        return
    try:
        _check(text)
    except _Broken as error:
        context.add("FMT009", str(error))


def _check(text: str) -> None:
    body, mark, _ = text.partition("\nend of trees")
    if not mark:
        raise _Broken("the model does not say where its trees end")
    features = -1
    for name, fields in _blocks(body):
        if not name:
            features = _number(fields, "max_feature_idx", "the header")
        else:
            _check_tree(fields, name, features)


def _blocks(body: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The header, with an empty name, and the trees: key -> value."""
    name = ""
    fields: dict[str, str] = {}
    for line in body.split("\n")[1:]:
        if _TREE.match(line):
            yield name, fields
            name, fields = line, {}
        elif _LINE.match(line):
            key, mark, value = line.partition("=")
            if mark and key in fields:
                raise _Broken(f"{name or 'the header'}: {key} occurs twice")
            fields[key] = value
        else:
            raise _Broken(f"{name or 'the header'}: the line {line[:60]!r} is none of the format's")
    yield name, fields


def _check_tree(fields: Mapping[str, str], name: str, features: int) -> None:
    leaves = _number(fields, "num_leaves", name)
    if not 1 <= leaves <= _MAX_LEAVES:
        raise _Broken(f"{name}: {leaves} leaves")
    if len(fields.get("leaf_value", "").split()) != leaves:
        raise _Broken(f"{name}: leaf_value has not one value a leaf")
    if leaves == 1:
        return
    for key in ("left_child", "right_child"):
        _within(
            _integers(fields, key, leaves - 1, name),
            -leaves,
            leaves - 2,
            f"{name}: a child is no node of the tree",
        )
    _within(
        _integers(fields, "split_feature", leaves - 1, name),
        0,
        features,
        f"{name}: a feature is not the model's",
    )
    for key in ("threshold", "decision_type"):
        if len(fields.get(key, "").split()) != leaves - 1:
            raise _Broken(f"{name}: {key} has not one value a node")
    _check_categories(fields, name)


def _within(numbers: list[int], low: int, high: int, otherwise: str) -> None:
    if min(numbers) < low or max(numbers) > high:
        raise _Broken(otherwise)


def _check_categories(fields: Mapping[str, str], name: str) -> None:
    """Sets of categories are cut out of one list by their boundaries."""
    count = _number(fields, "num_cat", name)
    if not count:
        return
    if not 0 < count <= _MAX_LEAVES:
        raise _Broken(f"{name}: {count} sets of categories")
    boundaries = _integers(fields, "cat_boundaries", count + 1, name)
    if boundaries[0] != 0 or sorted(boundaries) != boundaries:
        raise _Broken(f"{name}: the boundaries of categories do not rise")
    _integers(fields, "cat_threshold", boundaries[-1], name)


def _integers(fields: Mapping[str, str], key: str, count: int, name: str) -> list[int]:
    text = fields.get(key, "").strip()
    if not _INTEGERS.match(text):
        raise _Broken(f"{name}: {key} is no list of integers")
    found = [int(item) for item in text.split(" ")]
    if len(found) != count:
        raise _Broken(f"{name}: {key} has {len(found)} items and should have {count}")
    return found


def _number(fields: Mapping[str, str], key: str, name: str) -> int:
    text = fields.get(key, "")
    if not text.isascii() or not text.isdigit() or len(text) > 10:
        raise _Broken(f"{name}: {key} is no number")
    return int(text)
