"""Names that a template puts together out of parts: variables that hold such text, and what is read by them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from jinja2 import nodes

__all__ = ["built_names", "plain_index", "walk"]

MAX_NODES: Final = 400_000
_JOINING: Final = (nodes.Mod, nodes.Mul, nodes.Add)
_JOINING_FILTERS: Final = frozenset(("format", "join", "replace", "reverse", "batch", "indent"))
_INDEX_FILTERS: Final = frozenset(
    ["length", "count", "int", "abs", "first", "last", "lower", "upper", "trim", "default", "d", "min", "max"]
)


def walk(tree: nodes.Node) -> Iterator[nodes.Node]:
    """Yield the nodes of a tree, at most ``MAX_NODES`` and one, without recursion."""
    pending, count = [tree], 0
    while pending and count <= MAX_NODES:
        node = pending.pop()
        count += 1
        yield node
        pending.extend(node.iter_child_nodes())


def built_names(found: Iterable[nodes.Node]) -> frozenset[str]:
    """Variables that hold text which the template put together; attributes of namespaces begin with a point."""
    found = list(found)
    names: set[str] = set()
    for node in found:
        for target, value in _assigned(node):
            if value is None or _builds(value):
                names |= _targets(target)
    if any(isinstance(node, nodes.Call) and any(map(_builds, _given(node))) for node in found):
        for node in found:
            if isinstance(node, nodes.Macro | nodes.CallBlock):
                names |= {name for argument in node.args for name in _targets(argument)}
    return frozenset(names)


def _assigned(node: nodes.Node) -> Iterator[tuple[nodes.Node, nodes.Node | None]]:
    """Targets and values of an assignment of any kind; None for text that a block renders."""
    if isinstance(node, nodes.AssignBlock):
        yield node.target, None
    elif isinstance(node, nodes.Assign):
        yield node.target, node.node
    elif isinstance(node, nodes.For):
        yield node.target, node.iter
    elif isinstance(node, nodes.With):
        yield from zip(node.targets, node.values, strict=False)


def _given(node: nodes.Call) -> list[nodes.Node]:
    """What a macro is called with."""
    if not isinstance(node.node, nodes.Name):
        return []
    return [*node.args, *(keyword.value for keyword in node.kwargs)]


def _targets(target: nodes.Node) -> set[str]:
    names = set()
    for node in walk(target):
        if isinstance(node, nodes.NSRef):
            names.add("." + node.attr)
        elif isinstance(node, nodes.Name):
            names.add(node.name)
    return names


def _builds(value: nodes.Node) -> bool:
    """Whether an expression may put text together out of parts."""
    return any(
        isinstance(node, nodes.Concat)
        or (isinstance(node, _JOINING) and any(map(_has_text, node.iter_child_nodes())))
        or (isinstance(node, nodes.Getitem) and isinstance(node.node, nodes.Const))
        or (isinstance(node, nodes.Filter) and node.name in _JOINING_FILTERS)
        for node in walk(value)
    )


def _has_text(node: nodes.Node) -> bool:
    return any(isinstance(one, nodes.Const) and isinstance(one.value, str) for one in walk(node))


def plain_index(index: nodes.Node, built: frozenset[str]) -> bool:
    """Whether what is read by is a constant, a number, or a variable that the template did not put together."""
    return isinstance(index, nodes.Const | nodes.Slice) or not any(
        _suspicious(node, built) for node in walk(index)
    )


def _suspicious(node: nodes.Node, built: frozenset[str]) -> bool:
    if isinstance(node, nodes.Name):
        return node.name in built
    if isinstance(node, nodes.Getattr):
        return "." + node.attr in built
    if isinstance(node, nodes.Filter):
        return node.name not in _INDEX_FILTERS
    if isinstance(node, nodes.BinExpr):
        return _has_text(node.left) or _has_text(node.right)
    return isinstance(node, nodes.Call | nodes.Concat)
