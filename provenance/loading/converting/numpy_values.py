"""Numpy's arrays, from what pickles, joblib's files and `.npy` headers say of them.

Formats: numpy's ``__reduce__`` (``numpy/_core/src/multiarray/methods.c``), NEP 1, ``joblib/numpy_pickle.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provenance.loading.converting.content import Array, Uncarried, array_over, bytes_of
from provenance.loading.converting.keeping import Pairs, Plain
from provenance.loading.converting.torch_values import Carried
from provenance.scanning.pickles.values import Bytes, Global, List, Made, describe
from provenance.scanning.readers import Reader, SliceReader

__all__ = ["NUMPY_MAKERS", "array_of_header", "dtype_of_code", "rebuild_array"]

NUMPY_MAKERS = ("_reconstruct", "_frombuffer", "scalar", "NumpyArrayWrapper")

_CODES: Mapping[str, str] = {
    "b1": "BOOL",
    "?": "BOOL",
    "i1": "I8",
    "i2": "I16",
    "i4": "I32",
    "i8": "I64",
    "u1": "U8",
    "u2": "U16",
    "u4": "U32",
    "u8": "U64",
    "f2": "F16",
    "f4": "F32",
    "f8": "F64",
    "c8": "C64",
}


def rebuild_array(made: Made, reader: Reader) -> Carried:
    """The array, or the scalar, that a pickle read by ``reader`` describes. Raises Uncarried."""
    makers = {
        "_reconstruct": _of_state,
        "_frombuffer": _of_buffer,
        "scalar": _of_scalar,
        "NumpyArrayWrapper": _of_wrapper,
    }
    try:
        return Carried({"": makers[made.entry.name](made, reader)})
    except (IndexError, ValueError) as error:
        raise Uncarried("an array with too little or too much said of it") from error


def _of_state(made: Made, reader: Reader) -> Array:
    """An empty array that is given (version, shape, dtype, whether in Fortran's order, bytes)."""
    cls = made.arguments[0]
    if not isinstance(cls, Global) or cls.entry.name not in ("ndarray", "matrix"):
        raise Uncarried(f"an array of the type {describe(cls)}")
    if not isinstance(made.state, tuple):
        raise Uncarried("an array without values")
    shape, dtype, fortran, data = made.state[-4:]
    if isinstance(data, List):
        raise Uncarried("an array of Python objects")
    return _array(bytes_of(data, reader), dtype, shape, fortran=_is_true(fortran))


def _of_buffer(made: Made, reader: Reader) -> Array:
    """(bytes, dtype, shape, order), as protocol 5 writes it."""
    data, dtype, shape, order = made.arguments
    return _array(bytes_of(data, reader), dtype, shape, fortran=order == "F")


def _of_scalar(made: Made, reader: Reader) -> Array:
    """(dtype, bytes)."""
    dtype, data = made.arguments
    return _array(bytes_of(data, reader), dtype, (), fortran=False)


def _of_wrapper(made: Made, reader: Reader) -> Array:
    """joblib's: the state describes the bytes behind it."""
    state = made.state.entries if isinstance(made.state, Pairs) else {}
    if not isinstance(made.items, Bytes):
        raise Uncarried("an array of Python objects")
    subclass = state.get("subclass")
    if not isinstance(subclass, Global) or subclass.entry.name not in ("ndarray", "matrix"):
        raise Uncarried("an array of a type of its own")
    content = SliceReader(reader, made.items.start, made.items.length)
    return _array(content, state.get("dtype"), state.get("shape"), fortran=state.get("order") == "F")


def _array(content: Reader, dtype: Any, shape: Any, *, fortran: bool) -> Array:
    name, swap = _dtype(dtype)
    array = array_over(content, name, shape, swap=swap, fortran=fortran)
    if array.nbytes != content.size:
        raise Uncarried(f"an array of {array.nbytes} bytes over {content.size}")
    return array


def _is_true(value: Any) -> bool:
    return bool(value.value if isinstance(value, Plain) else value)


def _dtype(dtype: Any) -> tuple[str, int]:
    """The name of a dtype, and the width of its numbers where their bytes are in the other order."""
    code = dtype.arguments[0] if isinstance(dtype, Made) and dtype.arguments else None
    if not isinstance(dtype, Made) or dtype.entry.name != "dtype" or not isinstance(code, str):
        raise Uncarried("an array whose dtype is not plain")
    state = dtype.state if isinstance(dtype.state, tuple) else ()
    order = state[1] if len(state) > 1 and isinstance(state[1], str) else ""
    if any(not isinstance(part, Plain) for part in state[2:5]):
        raise Uncarried("an array of records")
    return dtype_of_code(order + code.lstrip("|<>=") if order else code)


def dtype_of_code(code: str) -> tuple[str, int]:
    """The safetensors name of a code such as ``<f4``, and the width to swap. Raises Uncarried where there is none."""
    plain = code.lstrip("|<>=")
    name = _CODES.get(plain)
    if name is None:
        raise Uncarried(f"an array of the dtype {code[:40]}, which safetensors has not")
    width = 4 if name == "C64" else int(plain[1:] or 1)
    return name, width if code[:1] == ">" and width > 1 else 0


def array_of_header(reader: Reader, code: str, shape: tuple[int, ...], start: int, *, fortran: bool) -> Array:
    """The array of a ``.npy`` file whose items begin at ``start``. Raises Uncarried."""
    name, swap = dtype_of_code(code)
    content = SliceReader(reader, start, reader.size - start)
    return array_over(content, name, shape, swap=swap, fortran=fortran)
