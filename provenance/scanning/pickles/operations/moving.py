"""Opcodes that move values between stack and memo, and those that shape the stream."""

from __future__ import annotations

import pickle as op  # for the opcodes' names; nothing is ever unpickled here
from collections.abc import Callable

from provenance.scanning.pickles.limits import MAX_MEMO_INDEX, MAX_NESTING, MAX_STACK
from provenance.scanning.pickles.machine import Broken, Limit, Machine
from provenance.scanning.pickles.numbers import index_of
from provenance.scanning.pickles.operations.collecting import check_values

__all__ = ["MOVING"]

_HIGHEST_PROTOCOL = 5


def _mark(machine: Machine) -> None:
    if len(machine.marks) >= MAX_NESTING:
        raise Limit(f"more than {MAX_NESTING} marks")
    machine.marks.append(machine.stack)
    machine.stack = []


def _pop(machine: Machine) -> None:
    if machine.stack:
        del machine.stack[-1]
    else:
        machine.pop_mark()


def _pop_mark(machine: Machine) -> None:
    machine.pop_mark()


def _dup(machine: Machine) -> None:
    if len(machine.stack) > MAX_STACK:
        raise Limit(f"more than {MAX_STACK} values on the stack")
    machine.stack.append(machine.stack[-1])


def _put(machine: Machine, index: int) -> None:
    if index < 0:
        raise Broken("a negative place in the memo")
    if index > MAX_MEMO_INDEX:
        raise Limit(f"a memo of {index} places")
    machine.memo[index] = machine.stack[-1]


def _memoize(machine: Machine) -> None:
    machine.memo[len(machine.memo)] = machine.stack[-1]


def _put_line(machine: Machine) -> None:
    _put(machine, _index(machine))


def _get_line(machine: Machine) -> None:
    machine.stack.append(machine.memo[_index(machine)])


def _index(machine: Machine) -> int:
    index = index_of(machine.line() or b"")
    if index is None:
        raise Broken("a place in the memo that is no number")
    return index


def _put_byte(machine: Machine) -> None:
    """BINPUT without detours."""
    machine.memo[machine.buffer[machine.position]] = machine.stack[-1]
    machine.position += 1


def _get_byte(machine: Machine) -> None:
    """BINGET without detours."""
    machine.stack.append(machine.memo[machine.buffer[machine.position]])
    machine.position += 1


def _put_long(machine: Machine) -> None:
    _put(machine, machine.number(4))


def _get_long(machine: Machine) -> None:
    machine.stack.append(machine.memo[machine.number(4)])


def _protocol(machine: Machine) -> None:
    machine.protocol = machine.number(1)
    if machine.protocol > _HIGHEST_PROTOCOL:
        raise Broken(f"protocol {machine.protocol} does not exist")


def _frame(machine: Machine) -> None:
    """A frame begins outside of any other and ends inside the file; its end is watched by the loop."""
    length = machine.number(8)
    if machine.offset < machine.frame_end < 1 << 63:
        machine.refuse("PKL009", "a frame begins inside another one")
    machine.frame_end = machine.offset + length
    machine.set_limit()


def _stop(machine: Machine) -> None:
    machine.result = machine.stack.pop()
    check_values(machine, [machine.result], "the result")
    if machine.offset != machine.frame_end < 1 << 63:
        machine.refuse("PKL009", "the last frame does not end with the pickle")
    machine.ended = True


_MOVES: dict[bytes, Callable[[Machine], None]] = {
    op.MARK: _mark,
    op.POP: _pop,
    op.POP_MARK: _pop_mark,
    op.DUP: _dup,
    op.MEMOIZE: _memoize,
    op.PUT: _put_line,
    op.BINPUT: _put_byte,
    op.LONG_BINPUT: _put_long,
    op.GET: _get_line,
    op.BINGET: _get_byte,
    op.LONG_BINGET: _get_long,
    op.PROTO: _protocol,
    op.FRAME: _frame,
    op.STOP: _stop,
}
MOVING = {code[0]: operation for code, operation in _MOVES.items()}
