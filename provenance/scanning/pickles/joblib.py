"""joblib's arrays: their bytes stand in the middle of the stream, behind the state of a wrapper object.

Format: ``joblib/numpy_pickle.py`` (NumpyArrayWrapper.read_array) of joblib 0.10 and later.
"""

from __future__ import annotations

from contextlib import suppress
from math import prod
from typing import Any

from provenance.scanning.pickles.dtypes import holds_objects, item_bytes
from provenance.scanning.pickles.machine import Broken, Machine
from provenance.scanning.pickles.report import Report
from provenance.scanning.pickles.source import ReaderSource
from provenance.scanning.pickles.values import UNKNOWN, Bytes, Dict, Made

__all__ = ["JOBLIB", "read_array"]

JOBLIB = ("joblib.numpy_pickle", "NumpyArrayWrapper")

_BELOW = 4096  # values that may lie on the stack where an array begins
_MARKS = 64
_NESTED = 8  # arrays of objects within arrays of objects


def read_array(machine: Machine, wrapper: Made) -> Any:
    """Step over the bytes of an array; an array of objects is a pickle of its own, which is read."""
    machine.leave_frame()
    state = wrapper.state.entries if isinstance(wrapper.state, Dict) and not wrapper.state.more else {}
    dtype, shape = state.get("dtype"), state.get("shape")
    size = item_bytes(dtype)
    aligned = state.get("numpy_array_alignment_bytes", 0)
    if (
        size is None
        or not isinstance(shape, tuple)
        or not all(isinstance(n, int) and n >= 0 for n in shape)
        or not isinstance(aligned, int)
    ):
        machine.refuse("PKL005", "makes a joblib array whose type or shape is not plain")
        raise Broken("where joblib's array ends is not known")
    if holds_objects(dtype):
        return _read_objects(machine)
    _look_for_opcodes(machine)
    if "numpy_array_alignment_bytes" in state:
        machine.skip(machine.number(1))
    start, length = machine.offset, prod(shape) * size
    machine.skip(length)
    return Bytes(start, length)


def _read_objects(machine: Machine) -> Any:
    """An array of objects: joblib calls pickle.load on the same file, with a stack and memo of its own."""
    from provenance.scanning.pickles.operations import OPERATIONS

    kept = (machine.stack, machine.marks, machine.memo, machine.protocol, machine.allowed, machine.nesting)
    if machine.nesting >= _NESTED:
        raise Broken("arrays of objects are nested too deeply")
    machine.reset()
    # That load is Python's own, which would take the bytes of a wrapped array for opcodes.
    machine.allowed = {pair: entry for pair, entry in machine.allowed.items() if pair != JOBLIB}
    machine.nesting += 1
    machine.run(OPERATIONS)
    result = machine.result
    machine.reset()
    machine.stack, machine.marks, machine.memo, machine.protocol, machine.allowed, machine.nesting = kept
    return result


def _look_for_opcodes(machine: Machine) -> None:
    """Whoever loads the file by pickle itself takes the bytes of the array for opcodes: they must import nothing."""
    from provenance.scanning.pickles.operations import OPERATIONS

    reader = getattr(machine.source, "reader", None)
    if reader is None:
        return
    reading = Report()
    reading.opcodes = machine.report.opcodes
    allowed = {pair: entry for pair, entry in machine.allowed.items() if pair != JOBLIB}
    other = Machine(ReaderSource(reader, machine.offset), allowed, reading)
    other.stack, other.memo = [UNKNOWN] * _BELOW, _AnyMemo()
    other.marks = [[UNKNOWN] * _BELOW] * _MARKS
    with suppress(Broken):
        other.run(OPERATIONS)
    machine.report.opcodes = reading.opcodes
    for (module, name), known in reading.globals.items():
        if not known and all(part.isidentifier() for part in f"{module}.{name}".split(".")):
            machine.refuse("PKL009", f"the bytes of an array are opcodes that import {module}.{name}"[:200])


class _AnyMemo(dict[int, Any]):
    """A memo of which nothing is known."""

    def __missing__(self, _index: int) -> Any:
        return UNKNOWN
