"""The schema of ``parquet-row/1``: a text of names and types, whose SHA-256 each row's leaf begins with.

A line a column, ``NAME_LENGTH:NAME:TYPE`` and a newline. Types are those below; strings and binaries of 32- and 64-bit
offsets are one type, and a dictionary is the type of its values, for writers choose between them freely. Whether a
column may be null is not part of it. Types without a row form here (unions, run-end encoded, intervals) are refused.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from provenance.artifacts.records.source import unclear

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["schema_digest", "type_text"]

_PLAIN = (
    ("is_boolean", "bool"),
    ("is_int8", "int8"),
    ("is_int16", "int16"),
    ("is_int32", "int32"),
    ("is_int64", "int64"),
    ("is_uint8", "uint8"),
    ("is_uint16", "uint16"),
    ("is_uint32", "uint32"),
    ("is_uint64", "uint64"),
    ("is_float16", "float16"),
    ("is_float32", "float32"),
    ("is_float64", "float64"),
    ("is_string", "utf8"),
    ("is_large_string", "utf8"),
    ("is_binary", "binary"),
    ("is_large_binary", "binary"),
    ("is_date32", "date32"),
    ("is_date64", "date64"),
    ("is_null", "null"),
)


def schema_digest(schema: pa.Schema) -> bytes:
    """Return the SHA-256 of a schema's text; raises ``Malformed`` (CON016) for a type without a row form."""
    return sha256("".join(_line(field.name, field.type) for field in schema).encode()).digest()


def _line(name: str, kind: pa.DataType) -> str:
    return f"{len(name.encode())}:{name}:{type_text(kind)}\n"


def type_text(kind: pa.DataType) -> str:
    """Write a type in the words of ``parquet-row/1``; raises ``Malformed`` (CON016)."""
    from pyarrow import types

    for test, text in _PLAIN:
        if getattr(types, test)(kind):
            return text
    return _with_parameters(kind) or _nested(kind) or _refuse(kind)


def _with_parameters(kind: pa.DataType) -> str:
    from pyarrow import types

    if types.is_timestamp(kind):
        return f"timestamp({kind.unit},{kind.tz or ''})"
    if types.is_time(kind):
        return f"time{kind.bit_width}({kind.unit})"
    if types.is_duration(kind):
        return f"duration({kind.unit})"
    if types.is_decimal(kind):
        return f"decimal{kind.bit_width}({kind.precision},{kind.scale})"
    if types.is_fixed_size_binary(kind):
        return f"bytes({kind.byte_width})"
    return ""


def _nested(kind: pa.DataType) -> str:
    import pyarrow as pa
    from pyarrow import types

    if isinstance(kind, pa.BaseExtensionType):
        return type_text(kind.storage_type)
    if types.is_dictionary(kind):
        return type_text(kind.value_type)
    if types.is_map(kind):
        return f"list(struct({_line('key', kind.key_type)}{_line('value', kind.item_type)}))"
    if types.is_struct(kind):
        fields = (kind.field(at) for at in range(kind.num_fields))
        return f"struct({''.join(_line(field.name, field.type) for field in fields)})"
    return _listed(kind)


def _listed(kind: pa.DataType) -> str:
    from pyarrow import types

    if types.is_list(kind) or types.is_large_list(kind):
        return f"list({type_text(kind.value_type)})"
    if types.is_fixed_size_list(kind):
        return f"array({kind.list_size},{type_text(kind.value_type)})"
    return ""


def _refuse(kind: pa.DataType) -> str:
    raise unclear(f"columns of the type {str(kind)[:80]} have no row form")
