"""A template's syntax tree: only nodes, names, filters and calls that stay among the template's values pass."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from jinja2 import nodes

from provenance.scanning.formats.template_building import MAX_NODES, built_names, plain_index, walk
from provenance.scanning.formats.template_names import (
    ATTRIBUTE_FILTERS,
    FILTERS,
    FUNCTIONS,
    METHODS,
    OBJECTS,
    hidden_text,
    reaching,
)

__all__ = ["tree_faults"]

_ALLOWED: Final = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.For, nodes.If, nodes.Macro, nodes.CallBlock),
    *(nodes.FilterBlock, nodes.With, nodes.Assign, nodes.AssignBlock, nodes.NSRef, nodes.Name, nodes.Const),
    *(nodes.Tuple, nodes.List, nodes.Dict, nodes.Pair, nodes.Keyword, nodes.CondExpr, nodes.Filter),
    *(nodes.Call, nodes.Getitem, nodes.Getattr, nodes.Slice, nodes.Concat, nodes.Compare, nodes.Operand),
    *(nodes.BinExpr, nodes.UnaryExpr, nodes.Break, nodes.Continue, nodes.Scope, nodes.Test),
    nodes.ScopedEvalContextModifier,
)
_OPAQUE: Final = frozenset(["cycler", "joiner", "caller", "varargs", "kwargs", "namespace", "range", "dict"])
_CHARACTERS: Final = re.compile(r"%[^%sdifgr.\d\-+ #]|%\(|%[\d.\-+ #]*c")
_FIELD: Final = re.compile(r"\{(?:\{|\d*\}|[a-z]\w*\}|\d*:[^{}]*\})|[^{]")
_MAPPED: Final = FILTERS - {"map", "format", "join"}


def tree_faults(tree: nodes.Template) -> Iterator[str]:
    """Yield what reaches beyond the template's values, in words."""
    found = list(walk(tree))
    if len(found) > MAX_NODES:
        yield "it has more parts than are read"
        return
    macros = {node.name for node in found if isinstance(node, nodes.Macro)}
    built = built_names(found)
    for node in found:
        if not isinstance(node, _ALLOWED):
            yield f"it has the statement `{type(node).__name__.lower()}`"
        yield from _name_faults(node)
        if isinstance(node, nodes.Call):
            yield from _call_faults(node, macros)
        elif isinstance(node, nodes.Filter):
            yield from _filter_faults(node)
        elif isinstance(node, nodes.Mod) and isinstance(node.left, nodes.Const):
            yield from _format_faults(node.left)
        elif isinstance(node, nodes.Getitem) and not plain_index(node.arg, built):
            yield "it reads by a name that it puts together"


def _name_faults(node: nodes.Node) -> Iterator[str]:
    """Names and constants, wherever they stand."""
    if isinstance(node, nodes.Name | nodes.NSRef | nodes.Macro) and "__" in node.name:
        yield f"it names `{node.name}`"
    if isinstance(node, nodes.Name) and node.name in OBJECTS:
        yield f"it reads from `{node.name}`"
    if isinstance(node, nodes.NSRef | nodes.Getattr) and reaching(node.attr):
        yield f"it reads the attribute `{node.attr}`"
    if isinstance(node, nodes.Const) and isinstance(node.value, str) and hidden_text(node.value):
        yield f"it has the text {node.value[:40]!r}"
    if isinstance(node, nodes.Getattr | nodes.Getitem | nodes.Filter):
        inner = node.node
        if isinstance(inner, nodes.Name) and inner.name in _OPAQUE:
            yield f"it reads from `{inner.name}`"


def _call_faults(node: nodes.Call, macros: set[str]) -> Iterator[str]:
    called = node.node
    if isinstance(called, nodes.Name):
        if called.name not in FUNCTIONS and called.name not in macros:
            yield f"it calls `{called.name}`, which templates are not given"
    elif not isinstance(called, nodes.Getattr):
        yield "it calls what it has computed"
    elif called.attr == "format":
        text = called.node.value if isinstance(called.node, nodes.Const) else None
        if not isinstance(text, str) or _FIELD.sub("", text):
            yield "it formats by fields that may read attributes"
    elif called.attr not in METHODS:
        yield f"it calls the method `{called.attr}`"


def _filter_faults(node: nodes.Filter) -> Iterator[str]:
    if node.name not in FILTERS:
        yield f"it uses the filter `{node.name}`"
    elif node.name == "format":
        yield from _format_faults(node.node)
    elif node.name in ATTRIBUTE_FILTERS:
        yield from _attribute_faults(node, ATTRIBUTE_FILTERS[node.name])


def _attribute_faults(node: nodes.Filter, place: int) -> Iterator[str]:
    """Filters that read attributes, by constant names only; such a name is judged like any other constant."""
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        yield f"it uses the filter `{node.name}` with computed arguments"
    if node.name == "map" and node.args:
        first = node.args[0]
        if not isinstance(first, nodes.Const) or first.value not in _MAPPED:
            yield "it maps by a filter that reaches further"
    names = [keyword.value for keyword in node.kwargs if keyword.key == "attribute"]
    names += node.args[place : place + 1] if place >= 0 else []
    if not all(isinstance(name, nodes.Const) for name in names):
        yield f"it uses the filter `{node.name}` with a computed attribute"


def _format_faults(template: nodes.Node | None) -> Iterator[str]:
    """Texts with conversions: constant ones, that make no characters out of numbers."""
    text = template.value if isinstance(template, nodes.Const) else None
    if not isinstance(text, str):
        if text is None:
            yield "it formats by a text that it computes"
    elif _CHARACTERS.search(text.replace("%%", "")):
        yield "it makes text out of numbers of characters"
