"""Tensors as views of the memory that was proven: nothing is copied, and nothing is read again."""

from __future__ import annotations

import mmap
from typing import Any, Literal

from provenance.errors import UsageError
from provenance.scanning.numpy_dtypes import ML_DTYPES, numpy_dtype
from provenance.scanning.safetensors import BITS, Header, TensorInfo

__all__ = ["Buffer", "Framework", "check_framework", "tensor_from", "tensors_from"]

Framework = Literal["numpy", "torch"]
Buffer = mmap.mmap | bytearray

_TORCH = {
    **ML_DTYPES,
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "I16": "int16",
    "U16": "uint16",
    "F16": "float16",
    "I32": "int32",
    "U32": "uint32",
    "F32": "float32",
    "C64": "complex64",
    "F64": "float64",
    "I64": "int64",
    "U64": "uint64",
}


def check_framework(framework: str) -> None:
    """Raise ``UsageError`` for a framework that there is not."""
    if framework not in {"numpy", "torch"}:
        raise UsageError(f"there is no framework {framework}", hint='choose "numpy" or "torch"')


def tensors_from(header: Header, buffer: Buffer, framework: Framework) -> dict[str, Any]:
    """Return every tensor of a safetensors file that lies in ``buffer`` from its first byte on."""
    return {info.name: tensor_from(info, buffer, info.start, framework) for info in header.tensors}


def tensor_from(info: TensorInfo, buffer: Buffer, offset: int, framework: Framework) -> Any:
    """Return one tensor whose bytes start at ``offset`` of ``buffer``.

    Raises ``UsageError`` for a dtype that the framework does not have (those under 8 bits).
    """
    if framework == "torch":
        return _torch_tensor(info, buffer, offset)
    return _numpy_array(info, buffer, offset)


def _aligned(info: TensorInfo, buffer: Buffer, offset: int) -> tuple[Buffer, int]:
    """Copy a tensor that does not lie on a multiple of its item's size: frameworks must not be handed such memory."""
    if offset % max(BITS[info.dtype] // 8, 1) == 0:
        return buffer, offset
    return bytearray(memoryview(buffer)[offset : offset + info.end - info.start]), 0


def _numpy_array(info: TensorInfo, buffer: Buffer, offset: int) -> Any:
    import numpy as np

    dtype = numpy_dtype(info.dtype)
    if dtype is None:
        raise _unsupported(info, "numpy")
    buffer, offset = _aligned(info, buffer, offset)
    count = (info.end - info.start) // dtype.itemsize
    return np.frombuffer(buffer, dtype, count, offset if count else 0).reshape(info.shape)


def _torch_tensor(info: TensorInfo, buffer: Buffer, offset: int) -> Any:
    try:
        import torch
    except ImportError as error:
        raise UsageError(
            "torch is not installed", hint="install ml-provenance[torch], or load with numpy"
        ) from error
    dtype = getattr(torch, _TORCH.get(info.dtype, ""), None)
    if dtype is None:
        raise _unsupported(info, "torch")
    buffer, offset = _aligned(info, buffer, offset)
    count = (info.end - info.start) // dtype.itemsize
    if not count:
        return torch.empty(info.shape, dtype=dtype)
    return torch.frombuffer(buffer, dtype=dtype, count=count, offset=offset).reshape(info.shape)


def _unsupported(info: TensorInfo, framework: str) -> UsageError:
    message = f"{framework} has no dtype for {info.dtype} (tensor {info.name})"
    return UsageError(message, hint="load the file's bytes through provenance.sealed instead")
