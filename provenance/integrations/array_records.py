"""Arrays as Flower sends them, and the safetensors file that stands for them where they are signed."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any, Protocol

import numpy as np

from provenance.errors import Malformed

__all__ = ["SentArray", "canonical_file", "record_arrays"]


class SentArray(Protocol):
    """An array of a Flower record: ``data`` is a .npy file where ``stype`` is ``numpy.ndarray``."""

    @property
    def stype(self) -> str:
        """How the array is stored."""

    @property
    def data(self) -> bytes:
        """The stored array."""


def canonical_file(arrays: Mapping[str, np.ndarray[Any, Any]]) -> bytes:
    """Return the safetensors file of some arrays: the same bytes whoever makes it, in whatever order they come.

    Raises ``Malformed`` (AGG011) for dtypes that safetensors has not.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save

    try:
        return save({name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)})
    except (KeyError, ValueError, TypeError, SafetensorError) as error:
        raise Malformed(f"safetensors cannot hold the arrays: {error}", code="AGG011") from error


def record_arrays(record: Mapping[str, SentArray], *, limit: int) -> dict[str, np.ndarray[Any, Any]]:
    """Read the arrays of a record, of which nothing is trusted; never unpickles.

    Raises ``Malformed`` (AGG011) for more than ``limit`` bytes in all, and for what is no plain array.
    """
    if sum(len(array.data) + len(name) for name, array in record.items()) > limit:
        raise Malformed(f"the arrays have more than {limit} bytes", code="AGG011")
    return {name: _array(name, array) for name, array in record.items()}


def _array(name: str, array: SentArray) -> np.ndarray[Any, Any]:
    if array.stype != "numpy.ndarray":
        raise Malformed(f"array {name[:200]} is stored as {array.stype[:50]}", code="AGG011")
    try:
        return _npy(array.data)
    except (ValueError, TypeError, OverflowError, SyntaxError) as error:
        raise Malformed(f"array {name[:200]} cannot be read: {error}", code="AGG011") from error


def _npy(data: bytes) -> np.ndarray[Any, Any]:
    """Read a .npy file of numbers; its bytes have to be there before there is memory for them."""
    file = BytesIO(data)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("its header is not of version 1.0")
    shape, by_columns, dtype = np.lib.format.read_array_header_1_0(file)
    if dtype.kind not in "fiub":
        raise ValueError(f"its dtype is {dtype.str[:20]}")
    rest = memoryview(data)[file.tell() :]
    values = np.frombuffer(rest, dtype) if rest else np.empty(0, dtype)
    found: np.ndarray[Any, Any] = values.reshape(shape, order="F" if by_columns else "C")
    return found.astype(dtype.newbyteorder("="), copy=False)
