"""Torch's tensors, from what their pickles say: the rebuild functions of ``torch/_utils.py``, without calling them.

A tensor of quantised integers is carried as its integers, with ``scale`` and ``zero_point`` beside it:
real = (integer - zero_point) * scale, along ``axis`` where these are vectors
(https://docs.pytorch.org/docs/stable/quantization.html).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from provenance.loading.converting.content import Array, Uncarried, array_over
from provenance.loading.converting.keeping import Pairs, Plain
from provenance.scanning.pickles.values import Global, Made, Storage, describe
from provenance.scanning.readers import BytesReader, Reader

__all__ = ["TORCH_REBUILDS", "Carried", "Stored", "rebuild", "whole_storage"]

# Storages by the type in a persistent id; those of quantised integers hold plain ones.
_KINDS: Mapping[str, str] = {
    "DoubleStorage": "F64",
    "FloatStorage": "F32",
    "HalfStorage": "F16",
    "BFloat16Storage": "BF16",
    "LongStorage": "I64",
    "IntStorage": "I32",
    "ShortStorage": "I16",
    "CharStorage": "I8",
    "ByteStorage": "U8",
    "BoolStorage": "BOOL",
    "ComplexFloatStorage": "C64",
    "UntypedStorage": "U8",
}
_QUANTISED: Mapping[str, str] = {"QInt8Storage": "I8", "QUInt8Storage": "U8", "QInt32Storage": "I32"}
_DTYPES: Mapping[str, str] = {
    "float64": "F64",
    "double": "F64",
    "float32": "F32",
    "float": "F32",
    "float16": "F16",
    "half": "F16",
    "bfloat16": "BF16",
    "int64": "I64",
    "long": "I64",
    "int32": "I32",
    "int": "I32",
    "int16": "I16",
    "short": "I16",
    "int8": "I8",
    "uint8": "U8",
    "uint16": "U16",
    "uint32": "U32",
    "uint64": "U64",
    "bool": "BOOL",
    "complex64": "C64",
    "cfloat": "C64",
    "float8_e5m2": "F8_E5M2",
    "float8_e4m3fn": "F8_E4M3",
    "float8_e4m3fnuz": "F8_E4M3FNUZ",
    "float8_e5m2fnuz": "F8_E5M2FNUZ",
    "float8_e8m0fnu": "F8_E8M0",
}
_REAL_WIDTH: Mapping[str, int] = {"C64": 4}  # of the numbers in an item, where an item holds several


class Stored(NamedTuple):
    """The bytes of a storage, and whether its numbers are in the other byte order than the machine's."""

    content: Reader
    swapped: bool = False


Lookup = Callable[[Storage | Made], tuple[Storage, Stored]]


class Carried(NamedTuple):
    """What a value becomes: tensors and plain values by what is added to its name, and what is left behind."""

    arrays: Mapping[str, Array]
    values: Mapping[str, Any] = {}
    left: tuple[str, ...] = ()


def rebuild(name: str, arguments: tuple[Any, ...], lookup: Lookup) -> Carried:
    """What the rebuild function ``name`` would make of these arguments. Raises Uncarried."""
    if name not in TORCH_REBUILDS:
        raise Uncarried(f"what torch's {name} makes")
    try:
        return TORCH_REBUILDS[name](arguments, lookup)
    except (IndexError, ValueError) as error:
        raise Uncarried(f"a tensor with too little said of it ({name})") from error


def whole_storage(storage: Storage, lookup: Lookup) -> Carried:
    """A storage by itself, as a vector."""
    array = _view((storage, 0, None, None), lookup, _KINDS)
    return Carried({"": array})


def _tensor(arguments: tuple[Any, ...], lookup: Lookup) -> Carried:
    """Storage, offset, sizes, strides, then whether it needs a gradient, hooks, and marks of lazy views."""
    _no_marks(arguments[6:7])
    return Carried({"": _view(arguments, lookup, _KINDS)}, left=_hooks(arguments[5:6]))


def _tensor_of_dtype(arguments: tuple[Any, ...], lookup: Lookup) -> Carried:
    """The same over an untyped storage, with the dtype behind the hooks."""
    dtype = arguments[6]
    name = dtype.entry.name if isinstance(dtype, Global) else ""
    if name not in _DTYPES:
        raise Uncarried(f"a tensor of {name or 'an unknown dtype'}, which safetensors has not")
    _no_marks(arguments[7:8])
    array = _view(arguments, lookup, {"UntypedStorage": _DTYPES[name]})
    return Carried({"": array}, left=_hooks(arguments[5:6]))


def _view(arguments: tuple[Any, ...], lookup: Lookup, dtypes: Mapping[str, str]) -> Array:
    """A view of a storage: (storage, offset, sizes, strides), counted in items."""
    named, offset, sizes, strides = arguments[:4]
    if not isinstance(named, Storage | Made):
        raise Uncarried(f"a tensor over {describe(named)}")
    storage, stored = lookup(named)
    if storage.kind not in dtypes:
        raise Uncarried(f"a tensor over a {storage.kind}, whose items safetensors has not")
    dtype = dtypes[storage.kind]
    if sizes is None:
        sizes, strides = (storage.items,), (1,)
    array = array_over(stored.content, dtype, _plain_sizes(sizes), _plain_sizes(strides), offset)
    if not stored.swapped or array.width == 1:
        return array
    if storage.kind == "UntypedStorage":
        raise Uncarried(
            "a tensor of another byte order whose storage has no type: torch itself would misread it"
        )
    return array._replace(swap=_REAL_WIDTH.get(dtype, array.width))


def _plain_sizes(part: Any) -> Any:
    """A tuple of sizes, bare or as a torch.Size."""
    return part.arguments[0] if isinstance(part, Made) and part.arguments else part


def _no_marks(metadata: tuple[Any, ...]) -> None:
    """A lazily conjugated or negated view says so here; its bytes alone are not its values."""
    for marks in metadata:
        if isinstance(marks, Pairs | Made) and not (
            marks.entries if isinstance(marks, Pairs) else marks.items
        ):
            continue
        if not (isinstance(marks, Plain) and marks.value is None):
            raise Uncarried("a tensor that is a lazily conjugated or negated view")


def _hooks(hooks: tuple[Any, ...]) -> tuple[str, ...]:
    return ("the hooks of a tensor",) if any(isinstance(one, Made) and one.items for one in hooks) else ()


def _parameter(arguments: tuple[Any, ...], lookup: Lookup) -> Carried:
    """A parameter is its tensor."""
    inner = arguments[0]
    if not isinstance(inner, Made):
        raise Uncarried(f"a parameter of {describe(inner)}")
    carried = rebuild(inner.entry.name, inner.arguments, lookup)
    return carried._replace(left=carried.left + _hooks(arguments[2:3]))


def _parameter_with_state(arguments: tuple[Any, ...], lookup: Lookup) -> Carried:
    carried = _parameter(arguments, lookup)
    return carried._replace(left=carried.left + _attributes(arguments[3]))


def _of_type(arguments: tuple[Any, ...], lookup: Lookup) -> Carried:
    """A call within a call: (function, type, its arguments, attributes)."""
    function, _, inner, state = arguments
    if not isinstance(function, Global) or not isinstance(inner, tuple):
        raise Uncarried("a tensor of a class of its own")
    carried = rebuild(function.entry.name, inner, lookup)
    return carried._replace(left=carried.left + _attributes(state))


def _attributes(state: Any) -> tuple[str, ...]:
    """Attributes of a tensor are left behind, unless there are none: (dict, slots) or a dict."""
    parts = state if isinstance(state, tuple) else (state,)
    empty = all(
        (isinstance(part, Plain) and part.value is None) or (isinstance(part, Pairs) and not part.entries)
        for part in parts
    )
    return () if empty else ("the attributes of a tensor",)


def _quantised(arguments: tuple[Any, ...], lookup: Lookup) -> Carried:
    """(storage, offset, sizes, strides, (scheme, scales, zero points[, axis]), …)."""
    integers = _view(arguments, lookup, _QUANTISED)
    parameters = arguments[4]
    scheme = parameters[0] if isinstance(parameters, tuple) and parameters else None
    name = scheme.entry.name if isinstance(scheme, Global) else ""
    if name == "per_tensor_affine" and len(parameters) == 3:
        scale, zero_point = _number(parameters[1]), _number(parameters[2])
        beside = {".scale": _scalar("F64", "<d", scale), ".zero_point": _scalar("I64", "<q", zero_point)}
        return Carried({"": integers, **beside})
    if name.startswith("per_channel_affine") and len(parameters) == 4 and _is_axis(parameters[3], integers):
        beside = {
            ".scale": _parameter(parameters[1:2], lookup).arrays[""],
            ".zero_point": _parameter(parameters[2:3], lookup).arrays[""],
        }
        return Carried({"": integers, **beside}, {".axis": parameters[3]})
    raise Uncarried("a tensor quantised by a scheme that is not known")


def _is_axis(value: Any, array: Array) -> bool:
    return isinstance(value, int) and 0 <= value < len(array.shape)


def _number(value: Any) -> float:
    number = value.value if isinstance(value, Plain) else value
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise Uncarried("a quantised tensor whose scale is no number")
    return number


def _scalar(dtype: str, layout: str, value: float) -> Array:
    try:
        data = struct.pack(layout, value)
    except (struct.error, OverflowError) as error:
        raise Uncarried("a quantised tensor whose scale or zero point is out of range") from error
    return array_over(BytesReader(data), dtype, ())


TORCH_REBUILDS: Mapping[str, Callable[[tuple[Any, ...], Lookup], Carried]] = {
    "_rebuild_tensor": _tensor,
    "_rebuild_tensor_v2": _tensor,
    "_rebuild_tensor_v3": _tensor_of_dtype,
    "_rebuild_qtensor": _quantised,
    "_rebuild_parameter": _parameter,
    "_rebuild_parameter_with_state": _parameter_with_state,
    "_rebuild_from_type_v2": _of_type,
}
