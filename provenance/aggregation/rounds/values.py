"""How stored numbers become the ones that are computed with, and how results are stored again."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from provenance.errors import Malformed
from provenance.scanning.numpy_dtypes import numpy_dtype

__all__ = ["Widened", "largest", "narrowed", "widened"]

# Half, bfloat16 and 8-bit floats fit into single precision exactly, integers up to 2^53 into double.
_SINGLE: Final = frozenset({"F32", "F16", "BF16", "F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ"})
_DOUBLE: Final = frozenset({"F64", "I8", "I16", "I32", "I64", "U8", "U16", "U32", "U64"})


class Widened(NamedTuple):
    """The dtype in which a tensor is stored, and the one in which its values are computed with."""

    stored: np.dtype[Any]
    computed: np.dtype[Any]


def widened(dtype: str, tensor: str) -> Widened:
    """Return both dtypes for a dtype of safetensors; raises ``Malformed`` (AGG008) where values are no numbers."""
    stored = numpy_dtype(dtype) if dtype in _SINGLE | _DOUBLE else None
    if stored is None:
        raise Malformed(
            f"tensor {tensor[:200]} is {dtype}, of which there is no mean",
            code="AGG008",
            hint="leave the tensor out of the update",
        )
    return Widened(stored, np.dtype(np.float32 if dtype in _SINGLE else np.float64))


def narrowed(values: np.ndarray[Any, Any], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Round results to the dtype that they are stored in, once; integers to the nearest, ties to even."""
    stored: np.ndarray[Any, Any]
    if dtype.kind in "iu":
        bounds = np.iinfo(dtype)
        # The largest double that is no more than the largest integer.
        top = float(bounds.max) if dtype.itemsize < 8 else float(np.nextafter(float(bounds.max), 0.0))
        stored = np.clip(np.rint(values), float(bounds.min), top).astype(dtype)
        return stored
    with np.errstate(over="ignore"):
        stored = values.astype(dtype)
    return stored


def largest(dtype: np.dtype[Any]) -> float:
    """Return the largest finite number that a dtype of floats holds."""
    import ml_dtypes

    return float(ml_dtypes.finfo(dtype).max)  # type: ignore[no-untyped-call]
