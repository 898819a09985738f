"""The result as a safetensors file with the base model's tensors, written block by block and moved into place whole."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from provenance.aggregation.rounds.examining import read_header
from provenance.aggregation.rounds.layout import Layout
from provenance.aggregation.rounds.values import narrowed, widened
from provenance.artifacts.reading import SLICE_SIZE, Digested, digest_file
from provenance.errors import UsageError

__all__ = ["Output", "drafted", "read_tensors", "written"]


class Output:
    """An open result; blocks of columns may be stored in any order and from any thread, each once.

    ``temporary`` is where it lies until it is published as ``path``. Raises ``UsageError`` where it cannot be written.
    """

    def __init__(
        self, descriptor: int, layout: Layout, metadata: Mapping[str, str], *, temporary: Path, path: Path
    ) -> None:
        self.temporary, self.path = temporary, path
        self.descriptor = descriptor
        self.layout = layout
        self.dtypes = [widened(span.dtype, span.name).stored for span in layout.spans]
        self.first, header = _header(layout, self.dtypes, metadata)
        with _writing(path):
            _write(descriptor, np.frombuffer(header, np.uint8), 0)

    def store(self, start: int, values: np.ndarray[Any, Any]) -> None:
        """Store the columns from ``start`` on, rounded to each tensor's own dtype."""
        stop = start + len(values)
        for span, dtype, first in zip(self.layout.spans, self.dtypes, self.first, strict=True):
            low, high = max(span.start, start), min(span.start + span.count, stop)
            if low < high:
                stored = narrowed(values[low - start : high - start], dtype)
                with _writing(self.path):
                    _write(
                        self.descriptor, stored.view(np.uint8), first + (low - span.start) * dtype.itemsize
                    )

    def measured(self) -> Digested:
        """Digest the finished result, with all that a signature of it needs."""
        size = os.lseek(self.descriptor, 0, os.SEEK_END)
        os.lseek(self.descriptor, 0, os.SEEK_SET)
        return digest_file(self.descriptor, size, "sha256", memoryview(bytearray(SLICE_SIZE)), chunks=True)

    def publish(self) -> None:
        """Move the finished result to its place."""
        with _writing(self.path):
            os.fsync(self.descriptor)
            os.replace(self.temporary, self.path)


def _header(
    layout: Layout, dtypes: list[np.dtype[Any]], metadata: Mapping[str, str]
) -> tuple[list[int], bytes]:
    """Lay the tensors out as the library does: larger items first, so that every tensor is aligned, then by name."""
    order = sorted(range(len(dtypes)), key=lambda index: (-dtypes[index].itemsize, index))
    entries: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    first, position = [0] * len(dtypes), 0
    for index in order:
        span, end = layout.spans[index], position + layout.spans[index].count * dtypes[index].itemsize
        entries[span.name] = {
            "dtype": span.dtype,
            "shape": list(span.shape),
            "data_offsets": [position, end],
        }
        first[index], position = position, end
    text = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    start = 8 + len(text)
    return [start + each for each in first], len(text).to_bytes(8, "little") + text


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(f"cannot write {path}: {(error.strerror or str(error)).lower()}") from error


def _write(descriptor: int, data: np.ndarray[Any, Any], offset: int) -> None:
    view = np.ascontiguousarray(data).data
    while view:
        count = os.pwrite(descriptor, view, offset)
        view, offset = view[count:], offset + count


@contextmanager
def written(path: Path, layout: Layout, metadata: Mapping[str, str]) -> Iterator[Output]:
    """Write a result beside ``path`` and move it there when the block ends well; else nothing is left behind.

    Raises ``UsageError`` where it cannot be written.
    """
    with drafted(path, layout, metadata) as output:
        yield output
        output.publish()


@contextmanager
def drafted(path: Path, layout: Layout, metadata: Mapping[str, str]) -> Iterator[Output]:
    """Write a result beside ``path``, which is gone when the block ends, unless it was published.

    Raises ``UsageError`` where it cannot be written.
    """
    temporary = path.with_name(f".{path.name[:200]}.{secrets.token_hex(8)}.tmp")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    with _writing(path):
        descriptor = os.open(temporary, flags, 0o644)
    try:
        yield Output(descriptor, layout, metadata, temporary=temporary, path=path)
    finally:
        os.close(descriptor)
        temporary.unlink(missing_ok=True)


def read_tensors(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Read a result that was just written back as arrays."""
    with path.open("rb") as file:
        header, _ = read_header(file.fileno())
        arrays = {}
        for tensor in header.tensors:
            file.seek(tensor.start)
            dtype = widened(tensor.dtype, tensor.name).stored
            count = (tensor.end - tensor.start) // dtype.itemsize
            arrays[tensor.name] = np.frombuffer(
                bytearray(file.read(count * dtype.itemsize)), dtype, count
            ).reshape(tensor.shape)
    return arrays
