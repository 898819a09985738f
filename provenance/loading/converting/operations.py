"""The machine's opcodes once more, for reading values: what scanning forgets is kept here.

Every judgement stays with the opcodes of ``scanning``; these add memory and take no check away.
"""

from __future__ import annotations

import pickle as op  # for the opcodes' names; nothing is ever unpickled here
import struct
from collections.abc import Callable
from typing import Any

from provenance.loading.converting.keeping import Items, Pairs, Plain
from provenance.scanning.pickles.calls import call
from provenance.scanning.pickles.machine import Broken, Machine, Operations
from provenance.scanning.pickles.numbers import float_of
from provenance.scanning.pickles.operations import OPERATIONS
from provenance.scanning.pickles.operations.collecting import (
    add_elements,
    check_state,
    check_values,
    set_items,
)
from provenance.scanning.pickles.values import (
    DATA,
    UNKNOWN,
    Bytes,
    Data,
    Encoded,
    Global,
    Made,
    Refused,
    Text,
)

__all__ = ["KEEPING"]

Operation = Callable[[Machine], None]


def _scanned(code: bytes) -> Operation:
    operation = OPERATIONS[code[0]]
    assert operation is not None
    return operation


def _pushes(value: float | bool | None) -> Operation:  # noqa: FBT001 - a value, not a switch
    plain = Plain(value)
    return lambda machine: machine.stack.append(plain)


def _binary_float(machine: Machine) -> None:
    machine.stack.append(Plain(struct.unpack(">d", machine.take(8))[0]))


def _float_line(machine: Machine) -> None:
    value = float_of(machine.line() or b"")
    if value is None:
        raise Broken("a float that is none")
    machine.stack.append(Plain(value))


def _integer_line(machine: Machine) -> None:
    _scanned(op.INT)(machine)
    if isinstance(machine.stack[-1], Data):  # `00` or `01`, which lie in the buffer as a whole
        machine.stack[-1] = Plain(value=machine.buffer[machine.position - 2 : machine.position - 1] == b"1")


def _counted_text(code: bytes, width: int, form: Any) -> Operation:
    """A string behind its length: where it lies is kept if the string itself is not."""
    scanned = _scanned(code)

    def operation(machine: Machine) -> None:
        start = machine.offset + width
        scanned(machine)
        if machine.stack[-1] is DATA:
            machine.stack[-1] = Text(start, machine.offset - start, form)

    return operation


def _text_line(code: bytes, form: Any) -> Operation:
    scanned = _scanned(code)

    def operation(machine: Machine) -> None:
        start = machine.offset
        scanned(machine)
        if machine.stack[-1] is DATA:
            machine.stack[-1] = Text(start, machine.offset - 1 - start, form)

    return operation


def _empty_list(machine: Machine) -> None:
    machine.stack.append(Items())


def _list(machine: Machine) -> None:
    items = machine.pop_mark()
    check_values(machine, items, "a list")
    made = Items()
    made.items, made.count = items, len(items)
    machine.stack.append(made)


def _append(machine: Machine) -> None:
    item = machine.stack.pop()
    _extend(machine, [item])


def _appends(machine: Machine) -> None:
    items = machine.pop_mark()
    _extend(machine, items)


def _extend(machine: Machine, items: list[Any]) -> None:
    target = machine.stack[-1]
    if isinstance(target, Items):
        check_values(machine, items, "a list")
        target.items += items
        target.count = len(target.items)
        return
    add_elements(machine, items)


def _empty_dict(machine: Machine) -> None:
    machine.stack.append(Pairs())


def _dict(machine: Machine) -> None:
    items = machine.pop_mark()
    machine.stack.append(Pairs())
    _set(machine, items)


def _set_item(machine: Machine) -> None:
    value = machine.stack.pop()
    key = machine.stack.pop()
    _set(machine, [key, value])


def _set_items(machine: Machine) -> None:
    items = machine.pop_mark()
    _set(machine, items)


def _set(machine: Machine, items: list[Any]) -> None:
    target = machine.stack[-1]
    if isinstance(target, Pairs):
        check_values(machine, items, "a dict")
        if len(items) % 2:
            raise Broken("a dict with a key and no value")
        target.update(items)
        check_state(machine, target)
        return
    set_items(machine, items)
    if isinstance(target, Made) and not isinstance(target.items, Bytes):
        target.items = target.items or []
        target.items += items


def _reduce(machine: Machine) -> None:
    arguments = machine.stack.pop()
    function = machine.stack[-1]
    machine.stack[-1] = _bytes_of(function, arguments, call(machine, function, arguments))


def _new(machine: Machine) -> None:
    cls = machine.stack[-2]
    _scanned(op.NEWOBJ)(machine)
    if isinstance(cls, Refused):
        machine.stack[-1] = _made_by(cls)


def _made_by(function: Refused) -> Refused:
    """What a refused import makes is refused too, and known by its name."""
    made = Refused(function.name)
    made.called = True
    return made


def _bytes_of(function: Any, arguments: Any, result: Any) -> Any:
    """What scanning calls data may be bytes that a call makes of text or of bytes."""
    if isinstance(function, Refused):
        return _made_by(function)
    if result is not DATA or not isinstance(function, Global):
        return result
    check, made_of = function.entry.check, arguments[0] if arguments else ""
    latin = check == "latin1" or (
        check == "bytes_or_text" and arguments[1:] in ((), ("latin-1",), ("latin1",))
    )
    if latin and isinstance(made_of, str | Text):
        return Encoded(made_of)
    if check == "bytes_or_text" and isinstance(made_of, Bytes | Encoded):
        return made_of
    return result


def _build(machine: Machine) -> None:
    """Joblib's wrapper stays what it is: its state describes the bytes that follow it."""
    target = machine.stack[-2]
    _scanned(op.BUILD)(machine)
    if isinstance(target, Made) and target.entry.check == "joblib":
        found = machine.stack[-1]
        target.items = found if isinstance(found, Bytes) else None
        machine.stack[-1] = target


def _persistent(machine: Machine) -> None:
    """A storage that is part of another one (before torch 0.4) is not followed."""
    pid = machine.stack[-1]
    _scanned(op.BINPERSID)(machine)
    if isinstance(pid, tuple) and len(pid) > 5 and not (isinstance(pid[5], Plain) and pid[5].value is None):
        machine.stack[-1] = UNKNOWN


def _read_only(machine: Machine) -> None:
    if not isinstance(machine.stack[-1], Data):
        _scanned(op.READONLY_BUFFER)(machine)


_KEPT: dict[bytes, Operation] = {
    op.NONE: _pushes(None),
    op.NEWTRUE: _pushes(value=True),
    op.NEWFALSE: _pushes(value=False),
    op.BINFLOAT: _binary_float,
    op.FLOAT: _float_line,
    op.INT: _integer_line,
    op.BINUNICODE: _counted_text(op.BINUNICODE, 4, "utf-8"),
    op.BINUNICODE8: _counted_text(op.BINUNICODE8, 8, "utf-8"),
    op.BINSTRING: _counted_text(op.BINSTRING, 4, "bytes"),
    op.SHORT_BINSTRING: _counted_text(op.SHORT_BINSTRING, 1, "bytes"),
    op.UNICODE: _text_line(op.UNICODE, "raw"),
    op.STRING: _text_line(op.STRING, "escaped"),
    op.EMPTY_LIST: _empty_list,
    op.LIST: _list,
    op.APPEND: _append,
    op.APPENDS: _appends,
    op.EMPTY_DICT: _empty_dict,
    op.DICT: _dict,
    op.SETITEM: _set_item,
    op.SETITEMS: _set_items,
    op.REDUCE: _reduce,
    op.NEWOBJ: _new,
    op.BUILD: _build,
    op.BINPERSID: _persistent,
    op.READONLY_BUFFER: _read_only,
}
_BY_CODE = {code[0]: operation for code, operation in _KEPT.items()}
KEEPING: Operations = [_BY_CODE.get(code, operation) for code, operation in enumerate(OPERATIONS)]
