"""``parquet-row/1``: a record is a row, written from Arrow's buffers; no text form of a value is involved.

A row's bytes are the SHA-256 of the schema (see ``parquet_schema``), then its columns in the schema's order. Each value
begins with a byte, 1 or, for null, 0, and goes on

- with its bytes in little-endian order where its type has a fixed width (a boolean is one byte), zeros for null,
- with a length of 8 bytes and the bytes for strings and binaries (length 0 where it is null),
- with a count of 8 bytes and that many values for lists (0 for null); for arrays of a fixed size without count,
- with its fields in order for structs, each as null where the struct is.

Source of the buffers' layout: Apache Arrow Columnar Format 1.5.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt

from provenance.artifacts.records.parquet_schema import schema_digest
from provenance.artifacts.records.source import MAX_RECORD_BYTES, RecordSource, unclear
from provenance.errors import Malformed, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["parquet_records", "row_bytes"]

_ROWS: Final = 4096
_MAX_COLUMNS: Final = 10_000
Bytes = npt.NDArray[np.uint8]


def parquet_records(source: RecordSource) -> tuple[bytes, Iterator[list[bytes]]]:
    """Return the SHA-256 of the schema and the records in batches.

    Raises ``Malformed`` (CON016), while reading too, and ``UsageError`` where pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise UsageError("Parquet needs pyarrow", hint="pip install 'ml-provenance[parquet]'") from error
    raw = os.fdopen(os.dup(source.descriptor), "rb")
    try:
        file = pq.ParquetFile(raw)
        schema = file.schema_arrow
    except (pa.ArrowException, OSError, ValueError) as error:
        raw.close()
        raise unclear(f"{source.name} is no Parquet file: {_first_line(error)}") from error
    try:
        if len(schema) > _MAX_COLUMNS:
            raise unclear(f"{source.name} has {len(schema)} columns")
        digest = schema_digest(schema)
    except Malformed:
        raw.close()
        raise
    return digest, _batches(file, raw, digest, source)


def _batches(file: Any, raw: BinaryIO, digest: bytes, source: RecordSource) -> Iterator[list[bytes]]:
    import pyarrow as pa

    try:
        for batch in file.iter_batches(batch_size=_ROWS, use_threads=False):
            rows = row_bytes(batch, digest)
            if any(len(row) > MAX_RECORD_BYTES for row in rows):
                raise unclear(f"{source.name} has a row of more than {MAX_RECORD_BYTES >> 20} MiB")
            if rows:
                yield rows
    except (pa.ArrowException, OSError, MemoryError) as error:
        raise unclear(f"{source.name} cannot be read to its end: {_first_line(error)}") from error
    finally:
        raw.close()


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0][:200]


def row_bytes(batch: pa.RecordBatch, digest: bytes) -> list[bytes]:
    """Write the rows of a batch; ``digest`` is that of its schema."""
    count = batch.num_rows
    columns = [_values(column, np.ones(count, dtype=bool)) for column in batch.columns]
    return [digest + b"".join(row) for row in zip(*columns, strict=True)] if columns else [digest] * count


def _values(array: pa.Array, present: npt.NDArray[np.bool_]) -> list[bytes]:
    """Write each value of an array; ``present`` tells where the value around it is not null."""
    import pyarrow as pa
    from pyarrow import types

    if isinstance(array, pa.ExtensionArray):
        return _values(array.storage, present)
    if types.is_dictionary(array.type):
        return _values(array.dictionary_decode(), present)
    valid = present & _validity(array)
    for test, write in _WRITERS:
        if getattr(types, test)(array.type):
            return write(array, valid)
    return _cells(np.concatenate([_flags(valid), _fixed(array, valid)], axis=1))


def _validity(array: pa.Array) -> npt.NDArray[np.bool_]:
    if array.null_count == 0:
        return np.ones(len(array), dtype=bool)
    return np.asarray(array.is_valid().to_numpy(zero_copy_only=False), dtype=bool)


def _flags(valid: npt.NDArray[np.bool_]) -> Bytes:
    return valid.astype(np.uint8).reshape(-1, 1)


def _fixed(array: pa.Array, valid: npt.NDArray[np.bool_]) -> Bytes:
    """Return the values of fixed width as rows of little-endian bytes, zeros where there is none."""
    from pyarrow import types

    kind, count = array.type, len(array)
    data = None if types.is_null(kind) else array.buffers()[1]
    if data is None or not count:
        return np.zeros((count, 0 if types.is_null(kind) else _width(kind)), dtype=np.uint8)
    if types.is_boolean(kind):
        bits = np.unpackbits(np.frombuffer(data, dtype=np.uint8), bitorder="little")
        cells = bits[array.offset : array.offset + count].reshape(-1, 1)
    else:
        width = _width(kind)
        start = array.offset * width
        cells = np.frombuffer(data, dtype=np.uint8, count=count * width, offset=start).reshape(count, width)
    return np.where(valid.reshape(-1, 1), cells, np.uint8(0)).astype(np.uint8)


def _width(kind: pa.DataType) -> int:
    from pyarrow import types

    return 1 if types.is_boolean(kind) else kind.bit_width // 8


def _cells(rows: Bytes) -> list[bytes]:
    """Turn each row of bytes into a bytes object."""
    width, whole = rows.shape[1], rows.tobytes()
    return [whole[at : at + width] for at in range(0, len(whole), width)]


def _offsets(array: pa.Array) -> npt.NDArray[np.int64]:
    """Return the ``len(array) + 1`` offsets of an array of variable lengths."""
    from pyarrow import types

    kind = array.type
    large = types.is_large_list(kind) or types.is_large_string(kind) or types.is_large_binary(kind)
    dtype = np.dtype("<i8" if large else "<i4")
    start = array.offset * dtype.itemsize
    return np.frombuffer(array.buffers()[1], dtype=dtype, count=len(array) + 1, offset=start).astype(np.int64)


def _lengths(valid: npt.NDArray[np.bool_], counts: npt.NDArray[np.int64]) -> list[bytes]:
    """Write flag and length of each value."""
    eight = counts.astype("<u8").reshape(-1, 1).view(np.uint8)
    return _cells(np.concatenate([_flags(valid), eight], axis=1))


def _strings(array: pa.Array, valid: npt.NDArray[np.bool_]) -> list[bytes]:
    if not len(array):
        return []
    offsets = _offsets(array)
    counts = np.where(valid, np.diff(offsets), 0)
    data = array.buffers()[2]
    whole = memoryview(data) if data is not None else memoryview(b"")
    starts, ends = offsets[:-1].tolist(), (offsets[:-1] + counts).tolist()
    heads = _lengths(valid, counts)
    return [head + whole[start:end] for head, start, end in zip(heads, starts, ends, strict=True)]


def _lists(array: pa.Array, valid: npt.NDArray[np.bool_]) -> list[bytes]:
    if not len(array):
        return []
    offsets = _offsets(array)
    counts = np.where(valid, np.diff(offsets), 0)
    first, last = int(offsets[0]), int(offsets[-1])
    items = _items(array).slice(first, last - first)
    cells = _values(items, np.ones(len(items), dtype=bool))
    starts = (offsets[:-1] - first).tolist()
    ends = (offsets[:-1] - first + counts).tolist()
    heads = _lengths(valid, counts)
    return [head + b"".join(cells[start:end]) for head, start, end in zip(heads, starts, ends, strict=True)]


def _items(array: pa.Array) -> pa.Array:
    """Return the values under the offsets of a list or map, whatever part of it the array is."""
    import pyarrow as pa
    from pyarrow import types

    if types.is_map(array.type):
        fields = [pa.field("key", array.type.key_type), pa.field("value", array.type.item_type)]
        return pa.StructArray.from_arrays([array.keys, array.items], fields=fields)
    return array.values


def _arrays(array: pa.Array, valid: npt.NDArray[np.bool_]) -> list[bytes]:
    size = array.type.list_size
    items = array.values.slice(array.offset * size, len(array) * size)
    cells = _values(items, np.repeat(valid, size))
    flags = _cells(_flags(valid))
    return [flag + b"".join(cells[at * size : (at + 1) * size]) for at, flag in enumerate(flags)]


def _structs(array: pa.Array, valid: npt.NDArray[np.bool_]) -> list[bytes]:
    fields = [array.field(at) for at in range(array.type.num_fields)]  # of this part of the array alone
    columns = [_cells(_flags(valid)), *(_values(each, valid) for each in fields)]
    return [b"".join(row) for row in zip(*columns, strict=True)]


_WRITERS: Final[tuple[tuple[str, Callable[[Any, npt.NDArray[np.bool_]], list[bytes]]], ...]] = (
    ("is_map", _lists),
    ("is_list", _lists),
    ("is_large_list", _lists),
    ("is_fixed_size_list", _arrays),
    ("is_struct", _structs),
    ("is_string", _strings),
    ("is_binary", _strings),
    ("is_large_string", _strings),
    ("is_large_binary", _strings),
)
