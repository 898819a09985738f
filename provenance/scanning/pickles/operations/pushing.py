"""Opcodes that push a value that stands in the stream."""

from __future__ import annotations

import codecs
import pickle as op  # for the opcodes' names; nothing is ever unpickled here
from collections.abc import Callable

from provenance.scanning.pickles.machine import Broken, Machine
from provenance.scanning.pickles.numbers import float_of, integer_of
from provenance.scanning.pickles.values import DATA, TRUE, Bytes, Dict, List, Set, Text

__all__ = ["PUSHING"]

_KEPT_INTEGER = 16  # bytes of a long integer that is kept


def _text(machine: Machine, data: bytes) -> None:
    """Push a string of UTF-8 (with surrogates)."""
    try:
        machine.stack.append(data.decode("utf-8", "surrogatepass"))
    except UnicodeDecodeError as error:
        raise Broken("a string is not UTF-8") from error


def _counted_text(width: int) -> Callable[[Machine], None]:
    def operation(machine: Machine) -> None:
        length = machine.number(width)
        start = machine.offset
        data = machine.take_short(length)
        if data is None:
            machine.stack.append(Text(start, length, "utf-8"))
        else:
            _text(machine, data)

    return operation


def _short_text(machine: Machine) -> None:
    """SHORT_BINUNICODE, the most frequent of all, without detours."""
    start = machine.position + 1
    end = start + machine.buffer[machine.position]
    if end <= len(machine.buffer):
        machine.position = end
        data = machine.buffer[start:end]
    else:
        data = machine.take(machine.number(1))
    try:
        machine.stack.append(data.decode("utf-8", "surrogatepass"))
    except UnicodeDecodeError as error:
        raise Broken("a string is not UTF-8") from error


def _counted_bytes(width: int) -> Callable[[Machine], None]:
    def operation(machine: Machine) -> None:
        length = machine.number(width)
        start = machine.offset
        machine.skip(length)
        machine.stack.append(Bytes(start, length))

    return operation


def _counted_string(width: int) -> Callable[[Machine], None]:
    """Strings of Python 2, which unpicklers decode as ASCII or as the caller says."""

    def operation(machine: Machine) -> None:
        length = int.from_bytes(machine.take(width), "little", signed=width == 4)
        if length < 0:
            raise Broken("a string of negative length")
        _old_string(machine, machine.take_short(length))

    return operation


def _old_string(machine: Machine, data: bytes | None) -> None:
    """What is ASCII is a string whatever the encoding; anything else may be bytes."""
    if data is None or not data.isascii():
        machine.push_data()
    else:
        machine.stack.append(data.decode("ascii"))


def _string_line(machine: Machine) -> None:
    line = machine.line()
    if line is None:
        machine.push_data()
        return
    if len(line) < 2 or line[0] != line[-1] or line[:1] not in (b"'", b'"'):
        raise Broken("a string without its quotes")
    try:
        _old_string(machine, codecs.escape_decode(line[1:-1])[0])
    except ValueError as error:
        raise Broken("a string with a wrong escape") from error


def _unicode_line(machine: Machine) -> None:
    start = machine.offset
    line = machine.line()
    if line is None:
        machine.stack.append(Text(start, machine.offset - start - 1, "raw"))
        return
    try:
        machine.stack.append(line.decode("raw-unicode-escape"))
    except UnicodeDecodeError as error:
        raise Broken("a string with a wrong escape") from error


def _integer_line(machine: Machine) -> None:
    """INT and LONG; ``01`` and ``00`` are True and False."""
    line = machine.line() or b""
    value = integer_of(line)
    if value is None:
        raise Broken("an integer that is none")
    machine.stack.append({b"00": DATA, b"01": TRUE}.get(line, value))


def _float_line(machine: Machine) -> None:
    if float_of(machine.line() or b"") is None:
        raise Broken("a float that is none")
    machine.push_data()


def _integer(width: int, *, signed: bool = False) -> Callable[[Machine], None]:
    def operation(machine: Machine) -> None:
        machine.stack.append(int.from_bytes(machine.take(width), "little", signed=signed))

    return operation


def _byte(machine: Machine) -> None:
    """BININT1 without detours."""
    machine.stack.append(machine.buffer[machine.position])
    machine.position += 1


def _long(width: int) -> Callable[[Machine], None]:
    def operation(machine: Machine) -> None:
        length = int.from_bytes(machine.take(width), "little", signed=width == 4)
        if length < 0:
            raise Broken("an integer of negative length")
        if length > _KEPT_INTEGER:
            machine.skip(length)
            machine.push_data()
        else:
            machine.stack.append(int.from_bytes(machine.take(length), "little", signed=True))

    return operation


def _binary_float(machine: Machine) -> None:
    machine.take(8)
    machine.stack.append(DATA)


def _data(machine: Machine) -> None:
    machine.stack.append(DATA)


def _true(machine: Machine) -> None:
    machine.stack.append(TRUE)


def _empty_list(machine: Machine) -> None:
    machine.stack.append(List())


def _empty_dict(machine: Machine) -> None:
    machine.stack.append(Dict())


def _empty_set(machine: Machine) -> None:
    machine.stack.append(Set())


def _empty_tuple(machine: Machine) -> None:
    machine.stack.append(())


PUSHING = {
    op.SHORT_BINUNICODE[0]: _short_text,
    op.BINUNICODE[0]: _counted_text(4),
    op.BINUNICODE8[0]: _counted_text(8),
    op.UNICODE[0]: _unicode_line,
    op.STRING[0]: _string_line,
    op.BINSTRING[0]: _counted_string(4),
    op.SHORT_BINSTRING[0]: _counted_string(1),
    op.SHORT_BINBYTES[0]: _counted_bytes(1),
    op.BINBYTES[0]: _counted_bytes(4),
    op.BINBYTES8[0]: _counted_bytes(8),
    op.BYTEARRAY8[0]: _counted_bytes(8),
    op.INT[0]: _integer_line,
    op.LONG[0]: _integer_line,
    op.FLOAT[0]: _float_line,
    op.BININT[0]: _integer(4, signed=True),
    op.BININT1[0]: _byte,
    op.BININT2[0]: _integer(2),
    op.LONG1[0]: _long(1),
    op.LONG4[0]: _long(4),
    op.BINFLOAT[0]: _binary_float,
    op.NONE[0]: _data,
    op.NEWTRUE[0]: _true,
    op.NEWFALSE[0]: _data,
    op.EMPTY_LIST[0]: _empty_list,
    op.EMPTY_DICT[0]: _empty_dict,
    op.EMPTY_SET[0]: _empty_set,
    op.EMPTY_TUPLE[0]: _empty_tuple,
}
