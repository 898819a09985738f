"""The numpy dtype of each dtype of safetensors; those that numpy lacks come from ``ml_dtypes``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np

__all__ = ["ML_DTYPES", "numpy_dtype"]

_NUMPY: Final = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "I16": "<i2",
    "U16": "<u2",
    "F16": "<f2",
    "I32": "<i4",
    "U32": "<u4",
    "F32": "<f4",
    "C64": "<c8",
    "F64": "<f8",
    "I64": "<i8",
    "U64": "<u8",
}
ML_DTYPES: Final = {
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F8_E8M0": "float8_e8m0fnu",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
}
"""Names in ``ml_dtypes``, which are torch's names too."""


def numpy_dtype(name: str) -> np.dtype[Any] | None:
    """Return the little-endian numpy dtype of a dtype of safetensors; None for one under 8 bits."""
    import numpy as np

    if name in _NUMPY:
        return np.dtype(_NUMPY[name])
    if name not in ML_DTYPES:
        return None
    import ml_dtypes

    found: np.dtype[Any] = np.dtype(getattr(ml_dtypes, ML_DTYPES[name]))
    return found
