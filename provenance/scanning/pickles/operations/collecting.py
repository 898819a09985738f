"""Opcodes that put values together: tuples, lists, dicts, sets.

Items may be added only to what is known to take them: unpicklers call whatever method the object at hand has.
"""

from __future__ import annotations

import pickle as op  # for the opcodes' names; nothing is ever unpickled here
from collections.abc import Iterable
from typing import Any

from provenance.scanning.pickles.machine import Broken, Machine
from provenance.scanning.pickles.unfolding import CONTAINERS, remember, weigh
from provenance.scanning.pickles.values import DATA, Dict, Function, List, Loose, Made, Set, Unknown, describe

__all__ = ["COLLECTING", "add_elements", "check_state", "check_values", "make_tuple", "set_items"]

_FUNCTIONS = frozenset((Function, Loose))
_NOTABLE = _FUNCTIONS | CONTAINERS
_KEPT_ENTRIES = 1024


def check_values(machine: Machine, items: Iterable[Any], what: str) -> None:
    """Report a function that is to become part of a value: functions may be called and nothing else."""
    for item in items:
        while isinstance(item, Loose):
            item = next(inner for inner in item if type(inner) in _FUNCTIONS)  # noqa: PLW2901
        if isinstance(item, Function):
            machine.refuse("PKL005", f"puts {describe(item)}, which may only be called, into {what}")


def _checked(machine: Machine, items: list[Any], what: str) -> int:
    """Look for functions among what becomes part of a value; what it all unfolds to."""
    if _NOTABLE.isdisjoint(map(type, items)):
        return len(items)
    check_values(machine, items, what)
    return weigh(machine, items)


def make_tuple(machine: Machine, items: list[Any]) -> tuple[Any, ...]:
    """A tuple; a function in it is remembered, and so is what it unfolds to."""
    if _NOTABLE.isdisjoint(map(type, items)):
        return tuple(items)
    made = tuple(items) if _FUNCTIONS.isdisjoint(map(type, items)) else Loose(items)
    remember(machine, made)
    return made


def _tuple(machine: Machine) -> None:
    items = machine.pop_mark()
    machine.stack.append(make_tuple(machine, items))


def _tuple1(machine: Machine) -> None:
    machine.stack[-1] = make_tuple(machine, machine.stack[-1:])


def _tuple2(machine: Machine) -> None:
    stack = machine.stack
    stack[-2:] = [make_tuple(machine, [stack[-2], stack[-1]])]


def _tuple3(machine: Machine) -> None:
    stack = machine.stack
    stack[-3:] = [make_tuple(machine, [stack[-3], stack[-2], stack[-1]])]


def _list(machine: Machine) -> None:
    items = machine.pop_mark()
    machine.stack.append(List())
    add_elements(machine, items)


def _frozenset(machine: Machine) -> None:
    check_values(machine, machine.pop_mark(), "a set")
    machine.push_data()


def _dict(machine: Machine) -> None:
    items = machine.pop_mark()
    machine.stack.append(Dict())
    set_items(machine, items)


def _append(machine: Machine) -> None:
    item = machine.stack.pop()
    add_elements(machine, [item])


def _appends(machine: Machine) -> None:
    items = machine.pop_mark()
    add_elements(machine, items)


def add_elements(machine: Machine, items: list[Any]) -> None:
    """Append to what lies on the stack, or report that it is nothing to append to."""
    target = machine.stack[-1]
    weight = _checked(machine, items, "a list")
    if type(target) is List:
        target.count += len(items)
        target.weight += weight
        return
    if isinstance(target, Unknown):
        return
    if isinstance(target, Made) and (target.entry.takes == "elements" or target.entry.use == "any"):
        target.weight += weight
        return
    machine.refuse("PKL006", f"appends to {describe(target)}")


def _add_to_set(machine: Machine) -> None:
    items = machine.pop_mark()
    target = machine.stack[-1]
    weight = _checked(machine, items, "a set")
    if isinstance(target, Set):
        target.weight += weight
    elif not isinstance(target, Unknown):
        machine.refuse("PKL006", f"adds items to {describe(target)} as if it were a set")


def _set_item(machine: Machine) -> None:
    value = machine.stack.pop()
    key = machine.stack.pop()
    set_items(machine, [key, value])


def _items(machine: Machine) -> None:
    items = machine.pop_mark()
    set_items(machine, items)


def set_items(machine: Machine, items: list[Any]) -> None:
    """Set keys and values of what lies on the stack, or report that it takes none."""
    target = machine.stack[-1]
    weight = _checked(machine, items, "a dict")
    if len(items) % 2:
        raise Broken("a dict with a key and no value")
    if type(target) is Dict:
        target.weight += weight
        _keep(target, items)
        check_state(machine, target)
    elif isinstance(target, Made) and (target.entry.takes == "items" or target.entry.use == "any"):
        target.weight += weight
    elif not isinstance(target, Unknown):
        machine.refuse("PKL006", f"sets items of {describe(target)}")


def _keep(target: Dict, items: list[Any]) -> None:
    """Keep the first entries that have strings as keys, and any later value of those; note what is special."""
    entries = target.entries
    for key, value in zip(items[::2], items[1::2], strict=True):
        target.watch(key)
        if isinstance(key, str):
            if len(entries) < _KEPT_ENTRIES or key in entries:
                entries[key] = value
            else:
                target.more = True
        else:
            target.more = True


def check_state(machine: Machine, target: Dict) -> None:
    """Report a special attribute that a dict got after it had become the state of an object."""
    if target.used and target.special:
        machine.refuse("PKL006", f"adds the attribute {target.special} to the state of an object")


def _buffer(machine: Machine) -> None:
    machine.refuse("PKL011", "takes a buffer that is not in the file")
    machine.push_data()


def _read_only(machine: Machine) -> None:
    machine.stack[-1] = DATA


COLLECTING = {
    op.TUPLE[0]: _tuple,
    op.TUPLE1[0]: _tuple1,
    op.TUPLE2[0]: _tuple2,
    op.TUPLE3[0]: _tuple3,
    op.LIST[0]: _list,
    op.DICT[0]: _dict,
    op.FROZENSET[0]: _frozenset,
    op.APPEND[0]: _append,
    op.APPENDS[0]: _appends,
    op.ADDITEMS[0]: _add_to_set,
    op.SETITEM[0]: _set_item,
    op.SETITEMS[0]: _items,
    op.NEXT_BUFFER[0]: _buffer,
    op.READONLY_BUFFER[0]: _read_only,
}
