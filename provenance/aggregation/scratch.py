"""Arrays that a thread takes again and again: the pages of fresh ones cost as much as what is computed in them."""

from __future__ import annotations

import math
import threading
from typing import Any, Final

import numpy as np

__all__ = ["aligned", "forget", "scratch"]

LINE: Final = 64  # bytes of a cache line: what begins between two of them is read slower

_OF_THIS_THREAD: Final = threading.local()


def scratch(name: str, shape: tuple[int, ...], dtype: Any) -> Any:
    """Give this thread's array of a name, holding anything; who asks for the name next gets the same memory."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    held = _OF_THIS_THREAD.__dict__.get(name)
    if held is None or held.nbytes < size:
        held = _OF_THIS_THREAD.__dict__[name] = aligned((size,), np.uint8)
    return held[:size].view(dtype).reshape(shape)


def forget() -> None:
    """Let go of this thread's arrays."""
    _OF_THIS_THREAD.__dict__.clear()


def aligned(shape: tuple[int, ...], dtype: Any) -> np.ndarray[Any, Any]:
    """Give an array, holding anything, that begins with a cache line."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.empty(size + LINE, np.uint8)
    start = -memory.ctypes.data % LINE
    found: np.ndarray[Any, Any] = memory[start : start + size].view(dtype).reshape(shape)
    return found
