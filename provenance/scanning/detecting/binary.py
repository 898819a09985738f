"""Binary formats that have a magic number, or the shape of their protocol buffer."""

from __future__ import annotations

import re

from provenance.scanning.detecting.npy import npy_has_objects
from provenance.scanning.detecting.protobuf import model_format

__all__ = ["binary_format"]

# XGBoost's models in UBJSON: an object whose names are counted strings.
_UBJSON = re.compile(rb"\{(?:[iU].|I..|l.{4}|L.{8})(?:learner\{|version\[|Config\{)", re.DOTALL)
_HDF5 = b"\x89HDF\r\n\x1a\n"


def binary_format(head: bytes, size: int) -> str:  # noqa: PLR0911 - one return a format
    """``numpy``, ``pickle`` (an array of objects), ``gguf``, ``hdf5``, ``7z``, ``onnx``, …, or empty."""
    if head[:6] == b"\x93NUMPY":
        return "pickle" if npy_has_objects(head) else "numpy"
    if head[:4] == b"GGUF":
        return "gguf"
    if head[:8] == _HDF5 or any(
        head[at : at + 8] == _HDF5 for at in (512, 1024, 2048, 4096, 8192, 16384, 32768)
    ):
        return "hdf5"
    if head[:4] in (b"PAR1", b"PARE"):
        return "parquet"
    if head[:6] == b"7z\xbc\xaf\x27\x1c":
        return "7z"
    if _UBJSON.match(head):
        return "xgboost"
    if head[:4] == b"binf" or head[:4] == b"bs64":  # XGBoost's old binary models
        return "unknown"
    return model_format(head, size)
