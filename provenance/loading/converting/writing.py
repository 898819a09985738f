"""Writing a safetensors file tensor by tensor; only one block of one tensor is in memory where its items are dense.

Format: see ``provenance.scanning.safetensors``. Tensors are ordered by the width of their items, the widest first, so
that each begins at a multiple of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from provenance.artifacts.atomic import open_atomically
from provenance.loading.converting.content import Array
from provenance.loading.converting.steadiness import Changed
from provenance.scanning.safetensors import MAX_HEADER_BYTES

if TYPE_CHECKING:
    import numpy as np

__all__ = ["HeaderTooLarge", "write_safetensors"]

_STEP = 4 << 20
_ALIGNMENT = 8


class HeaderTooLarge(Exception):
    """Names and plain values take more than a header may."""


def write_safetensors(
    path: Path, arrays: Mapping[str, Array], metadata: Mapping[str, str], confirm: Callable[[], None]
) -> None:
    """Write the file whole or not at all; ``confirm`` is called last, and what it raises leaves nothing written.

    Raises HeaderTooLarge before anything is written, Changed where the source has fewer bytes than before, and OSError.
    """
    ordered = sorted(arrays.items(), key=lambda item: -item[1].width)
    header = _header(ordered, metadata)
    with open_atomically(path) as file:
        file.write(header)
        for _, array in ordered:
            _write_array(file, array)
        confirm()


def _header(ordered: list[tuple[str, Array]], metadata: Mapping[str, str]) -> bytes:
    entries: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    position = 0
    for name, array in ordered:
        end = position + array.nbytes
        entries[name] = {"dtype": array.dtype, "shape": array.shape, "data_offsets": (position, end)}
        position = end
    text = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    if len(text) > MAX_HEADER_BYTES:
        raise HeaderTooLarge
    return len(text).to_bytes(8, "little") + text


def _write_array(file: BinaryIO, array: Array) -> None:
    """Write the items of one tensor in the order of its shape, little-endian."""
    written = 0
    for block in _blocks(array) if array.nbytes else ():
        file.write(_swapped(block, array.swap) if array.swap else block)
        written += len(block)
    if written != array.nbytes:
        raise Changed


def _swapped(block: bytes, width: int) -> bytes:
    import numpy as np

    return np.frombuffer(block, f"u{width}").byteswap().tobytes()


def _blocks(array: Array) -> Iterator[bytes]:
    """The bytes of a tensor: straight from the source where it is dense there, else gathered from what it spans."""
    if array.is_dense:
        start, end = array.offset * array.width, array.offset * array.width + array.nbytes
        for position in range(start, end, _STEP):
            yield array.content.read_at(position, min(_STEP, end - position))
        return
    import numpy as np

    last = sum((size - 1) * stride for size, stride in zip(array.shape, array.strides, strict=True))
    span = array.content.read_at(array.offset * array.width, (last + 1) * array.width)
    strides = tuple(stride * array.width for stride in array.strides)
    # numpy compares shape and strides with the length of the buffer once more.
    view: np.ndarray[Any, Any] = np.ndarray(array.shape, f"V{array.width}", span, 0, strides)
    yield from _gathered(view)


def _gathered(view: np.ndarray[Any, Any]) -> Iterator[bytes]:
    """The items of a view in C order, in blocks of a few megabytes."""
    if view.nbytes <= _STEP or not view.ndim:
        yield view.tobytes()
        return
    row = view.nbytes // view.shape[0]
    rows = max(1, _STEP // row)
    for start in range(0, view.shape[0], rows):
        part = view[start : start + rows]
        if row > _STEP:
            yield from _gathered(part[0])
        else:
            yield part.tobytes()
