"""Checks of arguments, by the name that an allowlist entry gives.

Each returns what is wrong ("" for nothing) and the result where it is not simply an object of the entry.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from provenance.scanning.detecting.archives import is_tar_header
from provenance.scanning.pickles.allowlist.model import Entry
from provenance.scanning.pickles.dtypes import holds_objects
from provenance.scanning.pickles.machine import Machine
from provenance.scanning.pickles.states import attribute_fault
from provenance.scanning.pickles.values import (
    DATA,
    UNKNOWN,
    Bytes,
    Data,
    Dict,
    Encoded,
    Function,
    Global,
    List,
    Made,
    Set,
    Storage,
    Text,
    Unknown,
)
from provenance.scanning.readers import BytesReader, Reader, SliceReader

__all__ = ["CHECKS"]

Verdict = tuple[str, Any]
Arguments = tuple[Any, ...]

_NESTED = 4  # loads within loads
_MAX_ENCODED = 1 << 28  # bytes of text that are decoded in memory

_FINE: Verdict = ("", None)
_DTYPE = re.compile(r"[|<>=]?(?:[?bBhHiIlLqQpPefdgFDGSUVOMm]|[biufcSUVOMma?]\d{1,9}(?:\[\w+\])?)\Z")
_LATIN = ("latin1", "latin-1", "iso-8859-1")
_LAYOUT = re.compile(r"torch\.[a-z_]{1,32}\Z")
_BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")
_FRACTION = re.compile(r"[-+]?\d{1,5000}(?:/\d{1,5000})?\Z")
_FACTORIES = (
    "list",
    "dict",
    "tuple",
    "int",
    "float",
    "str",
    "bool",
    "set",
    "frozenset",
    "OrderedDict",
    "Counter",
    "deque",
)


def _inert(_machine: Machine, _entry: Entry, _arguments: Arguments) -> Verdict:
    """Any value: functions were looked for already."""
    return _FINE


def _one_list(_machine: Machine, _entry: Entry, arguments: Arguments) -> Verdict:
    """Nothing or one list, tuple or set that stands in the pickle: its items were paid for in bytes."""
    if not arguments or (len(arguments) == 1 and isinstance(arguments[0], List | tuple | Set | Unknown)):
        return _FINE
    return "with something else than one list", None


def _items(_machine: Machine, _entry: Entry, arguments: Arguments) -> Verdict:
    """What a container takes items from must stand in the pickle: a range made there would cost nothing but memory."""
    if all(isinstance(argument, List | Set | Dict | tuple | Data | int | Unknown) for argument in arguments):
        return _FINE
    return "with something else than a plain list or dict", None


def _index(_machine: Machine, _entry: Entry, arguments: Arguments) -> Verdict:
    """Makers of indices in pandas call their first argument with keywords: it must be a type of index."""
    cls = arguments[0] if arguments else None
    if isinstance(cls, Unknown):
        return "", UNKNOWN
    if isinstance(cls, Global) and cls.entry.module.startswith("pandas") and cls.entry.name.endswith("Index"):
        return _FINE
    return "on something else than a type of index", None


def _numbers(_machine: Machine, _entry: Entry, arguments: Arguments) -> Verdict:
    if len(arguments) <= 3 and all(isinstance(argument, int | Data) for argument in arguments):
        return _FINE
    return "with something else than numbers", None


def _bytes_or_text(_machine: Machine, _entry: Entry, arguments: Arguments) -> Verdict:
    """A number, also one that a call made, would ask for that much memory."""
    if len(arguments) > 2 or not all(isinstance(argument, str | Data | List) for argument in arguments):
        return "with something else than bytes or text", None
    if arguments[1:] and arguments[1] not in _LATIN:  # looking for another one imports modules by that name
        return "with another encoding than latin-1", None
    return "", DATA


def _fraction(_machine: Machine, _entry: Entry, arguments: Arguments) -> Verdict:
    """The exponent of "1e999999999" would be worked out in memory."""
    if len(arguments) == 1 and isinstance(arguments[0], str) and _FRACTION.match(arguments[0]):
        return _FINE
    if len(arguments) == 2 and all(isinstance(argument, int) for argument in arguments):
        return _FINE
    return "with something else than a plain fraction", None


def _latin1(_machine: Machine, _entry: Entry, arguments: Arguments) -> Verdict:
    if len(arguments) == 2 and isinstance(arguments[0], str | Data) and arguments[1] in _LATIN:
        return "", Encoded(arguments[0]) if isinstance(arguments[0], str | Text) else DATA
    return "with another encoding than latin-1", None


def _new_object(machine: Machine, _entry: Entry, arguments: Arguments) -> Verdict:
    """copyreg.__newobj__(cls, *arguments) is what NEWOBJ does."""
    from provenance.scanning.pickles.calls import instantiate

    if not arguments:
        return "on nothing", None
    return "", instantiate(machine, arguments[0], tuple(arguments[1:]))


def _reconstruct(_machine: Machine, _entry: Entry, arguments: Arguments) -> Verdict:
    """copyreg: an object of an allowed class, on the base ``object`` or a plain type."""
    if not arguments or isinstance(arguments[0], Unknown):
        return "", UNKNOWN
    cls = arguments[0]
    if not isinstance(cls, Global) or cls.entry.use not in ("class", "new", "any"):
        return "on something else than an allowed class", None
    base = arguments[1] if len(arguments) == 3 else None
    if not isinstance(base, Unknown) and not (isinstance(base, Global) and base.entry.module == "builtins"):
        return "on a base that is no plain type", None
    return "", Made(cls.entry)


def _reconstruct_c(_machine: Machine, _entry: Entry, arguments: Arguments) -> Verdict:
    """A maker of objects in C: of one type that the profile names in the same package."""
    if len(arguments) == 1 and isinstance(arguments[0], Unknown):
        return _FINE
    if (
        len(arguments) == 1
        and isinstance(arguments[0], Global)
        and arguments[0].entry.module.startswith("sklearn.")
    ):
        return _FINE
    return "on something else than an allowed type", None


def _factory(_machine: Machine, _entry: Entry, arguments: Arguments) -> Verdict:
    """A defaultdict calls its first argument whenever a key is missing."""
    for argument in arguments[:1]:
        plain = isinstance(argument, Global) and argument.entry.name in _FACTORIES
        if not plain and not isinstance(argument, Data | Unknown):
            return "with a factory that is no plain type", None
    return _FINE


def _layout(_machine: Machine, _entry: Entry, arguments: Arguments) -> Verdict:
    if len(arguments) == 1 and isinstance(arguments[0], str) and _LAYOUT.match(arguments[0]):
        return "", DATA
    return "with something else than the name of a layout", None


def _dtype(_machine: Machine, _entry: Entry, arguments: Arguments) -> Verdict:
    """numpy.dtype: a plain code, or a type of scalar."""
    code = arguments[0] if arguments else None
    if isinstance(code, str) and _DTYPE.match(code):
        return _FINE
    if isinstance(code, Global) and code.entry.module == "numpy":
        return _FINE
    return _FINE if isinstance(code, Unknown) else ("with something else than a plain code of a type", None)


def _array(_machine: Machine, _entry: Entry, arguments: Arguments) -> Verdict:
    """Numpy's _reconstruct: of a type of array, and empty (the values come with the state)."""
    if not arguments or not isinstance(arguments[0], Global | Unknown):
        return "with something else than a type of array", None
    cls = arguments[0]
    named = isinstance(cls, Global) and cls.entry.name in (
        "ndarray",
        "matrix",
        "recarray",
        "MaskedArray",
        "memmap",
    )
    if not named and not isinstance(cls, Unknown):
        return "with something else than a type of array", None
    return _FINE


def _scalar(_machine: Machine, _entry: Entry, arguments: Arguments) -> Verdict:
    """Numpy's scalar(dtype, bytes): where the type holds objects, the bytes would be taken for pointers."""
    dtype = arguments[0] if len(arguments) == 2 else None
    if isinstance(dtype, Unknown):
        return _FINE
    if not holds_objects(dtype) and isinstance(arguments[1], str | Data | Unknown):
        return _FINE
    return "with something else than a plain type and bytes", None


def _buffer(_machine: Machine, _entry: Entry, arguments: Arguments) -> Verdict:
    """Numpy's _frombuffer(bytes, dtype, shape, order)."""
    dtype = arguments[1] if len(arguments) == 4 else None
    if isinstance(dtype, Unknown):
        return _FINE
    if not holds_objects(dtype) and isinstance(arguments[0], str | Data | Unknown):
        return _FINE
    return "with something else than bytes and a plain type", None


def _generator(_machine: Machine, _entry: Entry, arguments: Arguments) -> Verdict:
    """numpy.random: by the name or the type of a known generator, or an object made so."""
    for argument in arguments[:1]:
        known = isinstance(argument, str) and argument in _BIT_GENERATORS
        typed = isinstance(argument, Global | Made) and argument.entry.module.startswith("numpy.random.")
        if not known and not typed and not isinstance(argument, Unknown):
            return "with a generator that is not known", None
    return _FINE


def _tensor(_machine: Machine, _entry: Entry, arguments: Arguments) -> Verdict:
    """Torch's rebuild functions: over a storage of the file, inside it."""
    if not arguments or not isinstance(arguments[0], Storage | Made | Unknown):
        return "with something else than a storage", None
    if isinstance(arguments[0], Storage) and not _fits(arguments[0], arguments[1:4]):
        return "with a tensor that reaches beyond its storage", None
    return _FINE


def _fits(storage: Storage, view: Arguments) -> bool:
    """Whether offset, sizes and strides (in items) stay inside of the storage."""
    if len(view) != 3 or not isinstance(view[0], int) or view[0] < 0:
        return False
    sizes, strides = (
        part.arguments[0] if isinstance(part, Made) and part.arguments else part for part in view[1:]
    )
    if not isinstance(sizes, tuple) or not isinstance(strides, tuple) or len(sizes) != len(strides):
        return False
    if not all(isinstance(number, int) and number >= 0 for number in (*sizes, *strides)):
        return False
    if 0 in sizes or storage.kind == "UntypedStorage":
        return True
    last = sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
    return bool(view[0] + last < storage.items)


def _typed_tensor(machine: Machine, _entry: Entry, arguments: Arguments) -> Verdict:
    """Torch's _rebuild_from_type_v2(function, type, arguments, state) is a call within a call."""
    from provenance.scanning.pickles.calls import call

    if len(arguments) != 4:
        return "with something else than four arguments", None
    function, cls, inner, state = arguments
    fault = attribute_fault(state)
    if fault:
        return f"with a state {fault}", None
    if not isinstance(function, Function | Unknown):
        return "with something else than a rebuild function", None
    if not isinstance(cls, Global | Unknown):
        return "with something else than a type", None
    call(machine, function, inner)
    return _FINE


def _stateful(_machine: Machine, _entry: Entry, arguments: Arguments) -> Verdict:
    """Torch's _rebuild_parameter_with_state(data, requires_grad, hooks, state) sets attributes."""
    fault = attribute_fault(arguments[3]) if len(arguments) == 4 else "that is missing"
    return (f"with a state {fault}", None) if fault else _FINE


def _torch_bytes(machine: Machine, _entry: Entry, arguments: Arguments) -> Verdict:
    """Torch's _load_from_bytes is a load within a load: the bytes are read as the file that they are."""
    from provenance.scanning.pickles.torch_legacy import read_legacy

    outer: Reader | None = getattr(machine.source, "reader", None)
    data = arguments[0] if len(arguments) == 1 else None
    inner = _content(outer, data) if outer is not None and machine.nesting < _NESTED else None
    if inner is None:
        return "with something else than bytes that can be read", None
    if is_tar_header(inner.read_at(0, 512)):
        return "with a tar, of which torch would unpickle the members", None
    where = f"{machine.place()} (bytes)"
    read_legacy(inner, machine.allowed, machine.report, where=where, nesting=machine.nesting + 1)
    return _FINE


def _content(outer: Reader, data: Any) -> Reader | None:
    """The bytes that a value stands for; None where that cannot be told."""
    if isinstance(data, Bytes):
        return SliceReader(outer, data.start, data.length)
    if not isinstance(data, Encoded):
        return None
    text = data.text
    try:
        if isinstance(text, Text):
            if text.length > _MAX_ENCODED:
                return None
            codec = {"utf-8": "utf-8", "raw": "raw-unicode-escape"}.get(text.form)
            if codec is None:
                return None
            text = outer.read_at(text.start, text.length).decode(codec)
        return BytesReader(text.encode("latin-1"))
    except UnicodeError:
        return None


CHECKS: Mapping[str, Callable[[Machine, Entry, Arguments], Verdict]] = {
    "inert": _inert,
    "one_list": _one_list,
    "items": _items,
    "index": _index,
    "numbers": _numbers,
    "bytes_or_text": _bytes_or_text,
    "fraction": _fraction,
    "latin1": _latin1,
    "new_object": _new_object,
    "reconstruct": _reconstruct,
    "reconstruct_c": _reconstruct_c,
    "factory": _factory,
    "layout": _layout,
    "dtype": _dtype,
    "array": _array,
    "scalar": _scalar,
    "buffer": _buffer,
    "generator": _generator,
    "tensor": _tensor,
    "typed_tensor": _typed_tensor,
    "stateful": _stateful,
    "torch_bytes": _torch_bytes,
}
