"""Putting something in a function's place, and taking it away again.

A function written in Python gets other code, so that whoever holds it, under whatever name and since whenever, calls
the guard. What is written in C, and classes, are replaced in every module that holds them under a name; what holds
them elsewhere (a closure, an attribute of a class, a container) goes on calling the original.
"""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Callable, Iterable
from types import FunctionType, ModuleType
from typing import Any

__all__ = ["Replacement", "replace_code", "replace_names", "replaceable", "standing_in"]

# Undoes one replacement.
Replacement = Callable[[], None]
_OWN = "provenance.loading.guarding."


def _trampoline(*arguments: Any, _provenance: Any, **options: Any) -> Any:
    return _provenance(*arguments, **options)


def replaceable(function: Any) -> bool:
    """Whether a function can be given other code: it is written in Python and is no closure."""
    return isinstance(function, FunctionType) and not function.__code__.co_freevars


def replace_code(function: Any, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Replacement:
    """Give a function the code of ``make(original)``, where ``original`` is a function with its present code."""
    code, defaults, named = function.__code__, function.__defaults__, function.__kwdefaults__
    original = FunctionType(code, function.__globals__, function.__name__, defaults, function.__closure__)
    original.__kwdefaults__ = named
    shown = vars(function).get("__signature__")
    with contextlib.suppress(TypeError, ValueError):
        vars(function)["__signature__"] = shown or inspect.signature(original)
    # In this order, so that a thread that calls it meanwhile finds what the code it has needs.
    function.__kwdefaults__ = {**(named or {}), "_provenance": make(original)}
    function.__code__ = _trampoline.__code__

    def undo() -> None:
        function.__code__ = code
        function.__kwdefaults__ = named
        vars(function).pop("__signature__", None)
        if shown is not None:
            vars(function)["__signature__"] = shown

    return undo


def standing_in(original: type, make: Callable[..., Any]) -> type:
    """A class in the place of one written in C: its instances are the original's, made by ``make``."""

    class _Kind(type):
        def __instancecheck__(cls, instance: Any) -> bool:
            return isinstance(instance, original)

        def __call__(cls, *arguments: Any, **options: Any) -> Any:
            return make(*arguments, **options)

    return _Kind(original.__name__, (), {"__doc__": original.__doc__, "__module__": original.__module__})


def replace_names(pairs: Iterable[tuple[Any, Any]]) -> Replacement:
    """Put the second of each pair under every name by which a module holds the first."""
    there = tuple(pairs)
    _sweep(there)

    def undo() -> None:
        _sweep(tuple((substitute, original) for original, substitute in there))

    return undo


def _sweep(pairs: tuple[tuple[Any, Any], ...]) -> None:
    wanted = {id(original): substitute for original, substitute in pairs}
    for module in list(sys.modules.values()):
        kind: Any = module
        if not isinstance(kind, ModuleType) or kind.__name__.startswith(_OWN):
            continue
        names = vars(module)
        for name, value in list(names.items()):
            if id(value) in wanted:
                names[name] = wanted[id(value)]
