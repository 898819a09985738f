"""joblib's arrays: their bytes stand in the middle of the stream, behind the state of a wrapper object.

Format: ``joblib/numpy_pickle.py`` (NumpyArrayWrapper.read_array) of joblib 0.10 and later.
"""

from __future__ import annotations

from math import prod
from typing import Any

from provenance.scanning.pickles.machine import Broken, Machine
from provenance.scanning.pickles.values import UNKNOWN, Bytes, Dict, Global, Made

__all__ = ["JOBLIB", "read_array"]

JOBLIB = ("joblib.numpy_pickle", "NumpyArrayWrapper")

_NESTED = 8  # structured types within structured types


def read_array(machine: Machine, wrapper: Made) -> Any:
    """Step over the bytes of an array; an array of objects is a pickle of its own, which is read."""
    state = wrapper.state.entries if isinstance(wrapper.state, Dict) else {}
    machine.leave_frame()
    size = _item_size(state.get("dtype"), 0)
    shape = state.get("shape")
    if size is None or not isinstance(shape, tuple) or not all(isinstance(n, int) and n >= 0 for n in shape):
        machine.refuse("PKL005", "makes a joblib array whose type or shape is not plain")
        raise Broken("where joblib's array ends is not known")
    if size == 0:
        return _read_objects(machine)
    if isinstance(state.get("numpy_array_alignment_bytes"), int):
        machine.skip(machine.number(1))
    start, length = machine.offset, prod(shape) * size
    machine.skip(length)
    return Bytes(start, length)


def _read_objects(machine: Machine) -> Any:
    """An array of objects: joblib calls pickle.load on the same file, with a stack and memo of its own."""
    from provenance.scanning.pickles.operations import OPERATIONS

    kept = (machine.stack, machine.marks, machine.memo, machine.protocol, machine.arrays, machine.nesting)
    if machine.nesting >= _NESTED:
        raise Broken("arrays of objects are nested too deeply")
    machine.reset()
    machine.arrays, machine.nesting = False, kept[-1] + 1
    machine.run(OPERATIONS)
    result = machine.result
    machine.reset()
    machine.stack, machine.marks, machine.memo, machine.protocol, machine.arrays, machine.nesting = kept
    return result if result is not UNKNOWN else UNKNOWN


def _item_size(dtype: Any, depth: int) -> int | None:
    """Bytes of an item; 0 for a type that holds objects; None where it is not known."""
    if not isinstance(dtype, Made) or dtype.entry.name != "dtype" or depth > _NESTED or not dtype.arguments:
        return None
    code = dtype.arguments[0]
    if isinstance(code, Global) or not isinstance(code, str):
        return None
    code = code.lstrip("|<>=")
    if code[:1] == "O" or _fields_hold_objects(dtype.state, depth):
        return 0
    if not code[1:].isdigit():
        return None
    if code[0] in "SUVa" and isinstance(dtype.state, tuple) and len(dtype.state) > 5:
        stated = dtype.state[5]
        if isinstance(stated, int) and stated > 0:
            return stated
    return int(code[1:]) * (4 if code[0] == "U" else 1)


def _fields_hold_objects(state: Any, depth: int) -> bool:
    """Whether a field of a structured type holds objects; its state is (…, subtype, names, fields, …)."""
    if not isinstance(state, tuple):
        return False
    parts: list[Any] = []
    for part in state:
        if isinstance(part, Dict):
            parts += [entry[0] for entry in part.entries.values() if isinstance(entry, tuple) and entry]
        elif isinstance(part, tuple) and part:
            parts.append(part[0])
    return any(isinstance(part, Made) and _item_size(part, depth + 1) == 0 for part in parts)
