"""Opcodes that import: the allowlist says which exact pairs of module and name may be."""

from __future__ import annotations

import pickle as op  # for the opcodes' names; nothing is ever unpickled here
from typing import Any

from provenance.scanning.pickles.machine import Broken, Machine
from provenance.scanning.pickles.names import canonical, name_fault
from provenance.scanning.pickles.values import UNKNOWN, Function, Global, Refused, describe

__all__ = ["IMPORTING", "find_global", "global_of_lines"]


def find_global(machine: Machine, module: str, name: str) -> Any:
    """The value of an import: allowed, or unknown after it was reported."""
    pair = canonical(module, name, machine.protocol)
    entry = machine.allowed.get(pair)
    shown = f"{pair[0]}.{pair[1]}"
    fault = name_fault(*pair)
    machine.report.globals[pair] = entry is not None and not fault
    if fault:
        machine.refuse("PKL004", f"imports {describe(shown)}: {fault}")
        return UNKNOWN
    if entry is None:
        message = f"imports {shown if shown.isprintable() else describe(shown)}"
        machine.refuse("PKL002", message)
        return Refused(message)
    return Function(entry) if entry.use == "function" else Global(entry)


def _global(machine: Machine) -> None:
    module, name = machine.line(), machine.line()
    machine.stack.append(global_of_lines(machine, module, name))


def global_of_lines(machine: Machine, module: bytes | None, name: bytes | None) -> Any:
    """The value of an import by two lines of the stream."""
    if module is None or name is None:
        machine.refuse("PKL004", "imports a name of more than 64 KiB")
        return UNKNOWN
    try:
        return find_global(machine, module.decode("utf-8"), name.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Broken("an import by a name that is not UTF-8") from error


def _stack_global(machine: Machine) -> None:
    name = machine.stack.pop()
    module = machine.stack.pop()
    if isinstance(name, str) and isinstance(module, str):
        machine.stack.append(find_global(machine, module, name))
        return
    machine.refuse(
        "PKL004", f"imports by {describe(module)} and {describe(name)}, which are no plain strings"
    )
    machine.stack.append(UNKNOWN)


def _extension(width: int) -> Any:
    def operation(machine: Machine) -> None:
        code = machine.number(width)
        machine.refuse(
            "PKL007", f"uses extension code {code}, which stands for whatever was registered for it"
        )
        machine.stack.append(UNKNOWN)

    return operation


IMPORTING = {
    op.GLOBAL[0]: _global,
    op.STACK_GLOBAL[0]: _stack_global,
    op.EXT1[0]: _extension(1),
    op.EXT2[0]: _extension(2),
    op.EXT4[0]: _extension(4),
}
