"""Opcodes that call, set a state, or fetch a persistent object."""

from __future__ import annotations

import pickle as op  # for the opcodes' names; nothing is ever unpickled here
from typing import Any

from provenance.scanning.pickles.calls import call, instantiate
from provenance.scanning.pickles.dtypes import array_fault, dtype_fault
from provenance.scanning.pickles.machine import Machine
from provenance.scanning.pickles.operations.collecting import check_values, make_tuple
from provenance.scanning.pickles.operations.importing import global_of_lines
from provenance.scanning.pickles.persistent import persistent_object
from provenance.scanning.pickles.states import attribute_fault
from provenance.scanning.pickles.unfolding import weigh
from provenance.scanning.pickles.values import Dict, Made, Unknown, describe

__all__ = ["CALLING"]


def _reduce(machine: Machine) -> None:
    arguments = machine.stack.pop()
    machine.stack[-1] = call(machine, machine.stack[-1], arguments)


def _new(machine: Machine) -> None:
    arguments = machine.stack.pop()
    machine.stack[-1] = instantiate(machine, machine.stack[-1], arguments)


def _new_with_keywords(machine: Machine) -> None:
    keywords = machine.stack.pop()
    arguments = machine.stack.pop()
    if isinstance(keywords, Dict):
        check_values(machine, keywords.entries.values(), "keyword arguments")
        if keywords.entries:
            machine.refuse("PKL005", f"makes {describe(machine.stack[-1])} with keyword arguments")
    elif not isinstance(keywords, Unknown):
        machine.refuse("PKL005", f"passes {describe(keywords)} as keyword arguments")
    machine.stack[-1] = instantiate(machine, machine.stack[-1], arguments)


def _instance(machine: Machine) -> None:
    """INST: import, then call with what lies above the mark."""
    module, name = machine.line(), machine.line()
    found = global_of_lines(machine, module, name)
    arguments = make_tuple(machine, machine.pop_mark())
    machine.stack.append(call(machine, found, arguments))


def _object(machine: Machine) -> None:
    """OBJ: call the first value above the mark with the others."""
    items = machine.pop_mark()
    function = items.pop(0)
    machine.stack.append(call(machine, function, make_tuple(machine, items)))


def _build(machine: Machine) -> None:
    """BUILD: only on what an allowed call made, and whose class takes a state."""
    state = machine.stack.pop()
    target = machine.stack[-1]
    check_values(machine, [state], "a state")
    if isinstance(target, Unknown):
        return
    if not isinstance(target, Made) or not target.entry.state:
        machine.refuse("PKL006", f"sets the state of {describe(target)}")
        return
    fault = _state_fault(target, state)
    if fault:
        machine.refuse("PKL006", f"sets a state of {describe(target)} {fault}")
    target.state = state
    target.weight += weigh(machine, (state,))
    if target.entry.check == "joblib":
        _read_array(machine, target)


def _state_fault(target: Made, state: Any) -> str:
    """What is wrong with a state, by the class that takes it."""
    if target.entry.check == "dtype":
        return dtype_fault(target, state)
    if target.entry.check == "array":
        return array_fault(state)
    return "" if target.entry.use == "any" else attribute_fault(state)


def _read_array(machine: Machine, target: Made) -> None:
    """Joblib writes the bytes of an array behind its wrapper's state, in the middle of the stream."""
    from provenance.scanning.pickles.joblib import read_array

    machine.stack[-1] = read_array(machine, target)


def _persistent_line(machine: Machine) -> None:
    machine.line()
    machine.refuse("PKL008", "names a persistent object by text, which torch does not")
    machine.push_data()


def _persistent(machine: Machine) -> None:
    machine.stack[-1] = persistent_object(machine, machine.stack[-1])


CALLING: dict[int, Any] = {
    op.REDUCE[0]: _reduce,
    op.NEWOBJ[0]: _new,
    op.NEWOBJ_EX[0]: _new_with_keywords,
    op.INST[0]: _instance,
    op.OBJ[0]: _object,
    op.BUILD[0]: _build,
    op.PERSID[0]: _persistent_line,
    op.BINPERSID[0]: _persistent,
}
