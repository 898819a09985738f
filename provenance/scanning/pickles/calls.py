"""Calls: what is called, how, and with what; judged by the allowlist's entry for it."""

from __future__ import annotations

from typing import Any

from provenance.scanning.pickles.checks import CHECKS
from provenance.scanning.pickles.machine import Machine
from provenance.scanning.pickles.unfolding import weigh
from provenance.scanning.pickles.values import (
    UNKNOWN,
    Function,
    Global,
    Loose,
    Made,
    Refused,
    Unknown,
    describe,
)

__all__ = ["call", "instantiate"]

_CALLED = ("function", "class", "any")
_MADE = ("class", "new", "any")


def call(machine: Machine, function: Any, arguments: Any) -> Any:
    """The result of ``function(*arguments)``, or unknown after it was reported."""
    return _call(machine, function, arguments, _CALLED)


def instantiate(machine: Machine, cls: Any, arguments: Any) -> Any:
    """The result of ``cls.__new__(cls, *arguments)``, or unknown after it was reported."""
    return _call(machine, cls, arguments, _MADE)


def _call(machine: Machine, function: Any, arguments: Any, uses: tuple[str, ...]) -> Any:  # noqa: PLR0911 - one return a fault
    if isinstance(function, Unknown):
        _note_call(machine, function, arguments)
        return UNKNOWN
    if not isinstance(function, Global):
        machine.refuse("PKL005", f"calls {describe(function)}")
        return UNKNOWN
    entry = function.entry
    if entry.use not in uses:
        allowed = "to be made without its __init__ only" if entry.use == "new" else "as a value only"
        machine.refuse("PKL005", f"calls {describe(function)}, which is allowed {allowed}")
        return UNKNOWN
    if isinstance(arguments, Unknown):
        return UNKNOWN
    if not isinstance(arguments, tuple):
        machine.refuse("PKL005", f"calls {describe(function)} with {describe(arguments)} as arguments")
        return UNKNOWN
    _check_functions(machine, function, arguments)
    if entry.check in CHECKS:
        fault, result = CHECKS[entry.check](machine, entry, arguments)
        if fault:
            machine.refuse("PKL005", f"calls {describe(function)} {fault}")
            return UNKNOWN
        if result is not None:
            return result
    made = Made(entry, arguments)
    made.weight += weigh(machine, (arguments,))
    return made


def _check_functions(machine: Machine, function: Global, arguments: tuple[Any, ...]) -> None:
    """Functions may stand among the arguments only where the entry names them."""
    for argument in arguments:
        if isinstance(argument, Function) and argument.entry.name in function.entry.passes:
            continue
        if isinstance(argument, Function | Loose):
            machine.refuse("PKL005", f"passes a function to {describe(function)}: {describe(argument)}")


def _note_call(machine: Machine, function: Unknown, arguments: Any) -> None:
    """Say of an import that was refused that it is also called, and with what."""
    if isinstance(function, Refused) and not function.called:
        function.called = True
        shown = (
            ", ".join(describe(argument) for argument in arguments[:3])
            if isinstance(arguments, tuple)
            else "…"
        )
        machine.report.extend(function.name, f" and calls it with ({shown})")
