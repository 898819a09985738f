"""Numpy's dtypes as pickles describe them: numpy believes every word, so what it would believe is checked here.

A dtype's state names its size, its fields and whether it holds objects (``numpy/_core/src/multiarray/descriptor.c``:
arraydescr_setstate). A state that denies its objects makes numpy take bytes of the file for pointers; one that claims
objects makes joblib unpickle what looks like numbers; a field beyond the item's end reads foreign memory.
"""

from __future__ import annotations

from math import prod
from typing import Any, Final

from provenance.scanning.pickles.values import DATA, TRUE, Data, Dict, Global, List, Made, Unknown

__all__ = ["array_fault", "dtype_fault", "holds_objects", "item_bytes"]

_NESTED: Final = 8  # structured types within structured types
_OBJECTS: Final = (
    0x1B  # flags of a type that holds objects: counted, a list in pickles, set and got by functions
)
_COUNTED: Final = 0x07  # flags that only types with objects have
_STATED = "SUVa"  # codes whose size stands in the state


def is_dtype(value: Any) -> bool:
    """Whether a value is a dtype that the pickle made."""
    return isinstance(value, Made) and value.entry.check == "dtype"


def dtype_fault(dtype: Made, state: Any) -> str:  # noqa: PLR0911 - one return a fault
    """What is wrong with a state that BUILD is to give to a dtype, or empty."""
    if dtype.state is not None:
        return "which has a state, or is in use"
    if not _is_copy(dtype.arguments):
        return "which may be numpy's own, not a copy"
    if isinstance(state, Unknown):
        return ""
    if not isinstance(state, tuple) or len(state) not in (8, 9) or state[0] not in (3, 4):
        return "in a form that numpy does not write"
    subtype, names, fields, size, flags = state[2], state[3], state[4], state[5], state[7]
    if not isinstance(flags, int) or not isinstance(size, int):
        return "in a form that numpy does not write"
    if isinstance(fields, Dict) != isinstance(names, tuple):
        return "whose names are not those of its fields"
    inner = _fields(fields) if isinstance(fields, Dict) else _subtype(subtype)
    if inner is None:
        return "whose fields cannot be read"
    objects = dtype.arguments[0].lstrip("|<>=")[:1] == "O" or any(holds_objects(kind) for _, kind, _ in inner)
    if objects and flags & _OBJECTS != _OBJECTS:
        return "that denies its objects"
    if not objects and flags & _COUNTED:
        return "that claims objects and has none"
    return _layout_fault(inner, size, objects=objects)


def _is_copy(arguments: Any) -> bool:
    """Whether numpy.dtype(code, align, copy) was asked for a copy: only that may be given a state."""
    copied = arguments[2] if len(arguments) == 3 else None
    true = copied is TRUE or copied == 1 or getattr(copied, "value", None) is True
    return true and isinstance(arguments[0], str)


def _fields(fields: Dict) -> list[tuple[int, Any, int]] | None:
    """(Offset, dtype, count) of each field; None where they are not what numpy writes."""
    if fields.more:
        return None
    found = []
    for field in fields.entries.values():
        if not isinstance(field, tuple) or len(field) not in (2, 3) or not is_dtype(field[0]):
            return None
        if not isinstance(field[1], int) or field[1] < 0:
            return None
        found.append((field[1], field[0], 1))
    return found


def _subtype(subtype: Any) -> list[tuple[int, Any, int]] | None:
    """The one field of a type that is an array of another; none for a plain type."""
    if not isinstance(subtype, tuple):
        return [] if isinstance(subtype, Data) else None
    if len(subtype) != 2 or not is_dtype(subtype[0]):
        return None
    shape = subtype[1] if isinstance(subtype[1], tuple) else (subtype[1],)
    if not all(isinstance(length, int) and length >= 0 for length in shape):
        return None
    return [(0, subtype[0], prod(shape))]


def _layout_fault(inner: list[tuple[int, Any, int]], size: int, *, objects: bool) -> str:
    """Fields must end inside of the item, and none may lie over another that holds objects."""
    end = 0
    for offset, kind, count in sorted(set(inner), key=lambda field: field[0]):
        width = item_bytes(kind)
        if width is None:
            return "of a size that is not known"
        if offset + width * count > size:
            return "whose fields reach beyond its items"
        if objects and offset < end:
            return "whose objects lie under other fields"
        end = offset + width * count
    return ""


def item_bytes(dtype: Any, depth: int = 0) -> int | None:
    """Bytes of an item; None where it is not known. A dtype that was asked about gets no state any more."""
    if not is_dtype(dtype) or depth > _NESTED or not dtype.arguments:
        return None
    code = dtype.arguments[0]
    if dtype.state is None:
        dtype.state = DATA
    if not isinstance(code, str):
        return None
    code = code.lstrip("|<>=")
    if isinstance(dtype.state, tuple) and len(dtype.state) > 5 and code[:1] in _STATED:
        stated = dtype.state[5]
        return stated if isinstance(stated, int) and stated >= 0 else None
    digits = code[1:]
    return int(digits) * (4 if code[0] == "U" else 1) if digits.isdigit() else None


def holds_objects(dtype: Any, depth: int = 0) -> bool:
    """Whether an item holds Python objects; what is not known counts as if it did."""
    if not is_dtype(dtype) or depth > _NESTED:
        return True
    if dtype.state is None:
        dtype.state = DATA
    code = dtype.arguments[0] if dtype.arguments else None
    if isinstance(code, Global):
        return code.entry.name == "object_"
    if not isinstance(code, str) or code.lstrip("|<>=")[:1] == "O":
        return True
    state = dtype.state
    if not isinstance(state, tuple) or len(state) < 5:
        return False
    inner = _fields(state[4]) if isinstance(state[4], Dict) else _subtype(state[2])
    return inner is None or any(holds_objects(kind, depth + 1) for _, kind, _ in inner)


def array_fault(state: Any) -> str:  # noqa: PLR0911 - one return a fault
    """What is wrong with the state of an array (version, shape, dtype, order, data, …), or empty.

    Numpy reads as many objects from the list as the shape says, however few there are.
    """
    if isinstance(state, Unknown):
        return ""
    if not isinstance(state, tuple) or len(state) < 4:
        return "in a form that numpy does not write"
    shape, dtype, _, data = state[-4:] if len(state) == 4 else state[1:5]
    if isinstance(dtype, Unknown):
        return ""
    if not is_dtype(dtype):
        return "whose type is none of numpy's"
    if not holds_objects(dtype):
        return ""
    if not isinstance(shape, tuple) or not all(isinstance(n, int) and n >= 0 for n in shape):
        return "whose shape is not plain"
    if isinstance(data, List) and data.count != prod(shape):
        return "whose objects are fewer than its shape says"
    return ""
