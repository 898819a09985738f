"""``parquet-row/1`` held against a slow writer of the same bytes that goes through Python's values."""

from __future__ import annotations

import hashlib
import math
import struct
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from record_files import cut_file

from provenance.artifacts.records.parquet_rows import row_bytes
from provenance.artifacts.records.parquet_schema import schema_digest, type_text
from provenance.errors import Malformed

DIGEST = b"d" * 32


def rows(table):
    return [row for batch in table.to_batches() for row in row_bytes(batch, DIGEST)]


def slow(kind, value):
    """Write one value by the words of the rule."""
    flag = b"\0" if value is None else b"\1"
    if pa.types.is_string(kind) or pa.types.is_binary(kind) or pa.types.is_large_string(kind):
        data = b"" if value is None else value.encode() if isinstance(value, str) else value
        return flag + struct.pack("<Q", len(data)) + data
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        items = value or []
        return flag + struct.pack("<Q", len(items)) + b"".join(slow(kind.value_type, item) for item in items)
    if pa.types.is_struct(kind):
        fields = [kind.field(at) for at in range(kind.num_fields)]
        return flag + b"".join(
            slow(each.type, None if value is None else value[each.name]) for each in fields
        )
    code = {
        pa.int64(): "<q",
        pa.int8(): "<b",
        pa.uint16(): "<H",
        pa.float64(): "<d",
        pa.float32(): "<f",
        pa.bool_(): "<?",
    }[kind]
    return flag + (bytes(struct.calcsize(code)) if value is None else struct.pack(code, value))


KINDS = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.int8(): st.integers(-128, 127),
    pa.uint16(): st.integers(0, 65535),
    pa.float64(): st.floats(allow_nan=False),
    pa.bool_(): st.booleans(),
    pa.string(): st.text(max_size=8),
    pa.large_string(): st.text(max_size=8),
    pa.binary(): st.binary(max_size=8),
}


def nested():
    plain = st.sampled_from(list(KINDS))
    return st.recursive(
        plain,
        lambda inner: st.one_of(
            inner.map(pa.list_),
            inner.map(pa.large_list),
            st.lists(inner, min_size=1, max_size=3).map(
                lambda kinds: pa.struct([(f"f{at}", kind) for at, kind in enumerate(kinds)])
            ),
        ),
        max_leaves=4,
    )


def values(kind):
    if pa.types.is_struct(kind):
        inner = {kind.field(at).name: values(kind.field(at).type) for at in range(kind.num_fields)}
        return st.none() | st.fixed_dictionaries(inner)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return st.none() | st.lists(values(kind.value_type), max_size=4)
    return st.none() | KINDS[kind]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(nested(), min_size=1, max_size=3).flatmap(
        lambda kinds: st.tuples(
            st.just(kinds), st.lists(st.tuples(*map(values, kinds)), min_size=1, max_size=12)
        )
    ),
    st.data(),
)
def test_rows_are_written_by_the_rule(case, data):
    kinds, records = case
    columns = [pa.array([record[at] for record in records], type=kind) for at, kind in enumerate(kinds)]
    start = data.draw(st.integers(0, len(records) - 1))
    batch = pa.RecordBatch.from_arrays(columns, names=[f"c{at}" for at in range(len(kinds))])
    expected = [
        DIGEST + b"".join(slow(kind, value) for kind, value in zip(kinds, record, strict=True))
        for record in records
    ]
    assert row_bytes(batch, DIGEST) == expected
    # A part of a batch has the same rows: buffers are shared, and offsets are not zero.
    assert row_bytes(batch.slice(start), DIGEST) == expected[start:]


def test_a_file_gives_rows_and_the_digest_of_its_schema(tmp_path):
    table = pa.table({"a": pa.array([1, None, 3]), "s": ["x", "", None]})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=2)
    records, cut, digest = cut_file("parquet", tmp_path / "t.parquet")
    expected = hashlib.sha256(b"1:a:int64\n1:s:utf8\n").digest()
    assert cut.schema_digest == expected.hex()
    assert digest == hashlib.sha256((tmp_path / "t.parquet").read_bytes()).digest()
    assert (
        records[0] == expected + b"\1" + (1).to_bytes(8, "little") + b"\1" + (1).to_bytes(8, "little") + b"x"
    )
    assert records[1] == expected + bytes(9) + b"\1" + bytes(8)


def test_the_writers_choices_do_not_matter(tmp_path):
    table = pa.table({"a": pa.array(["x", "y", None, "x"] * 50)})
    found = set()
    for at, options in enumerate(
        (
            {},
            {"row_group_size": 7},
            {"compression": "gzip"},
            {"use_dictionary": False},
            {"data_page_size": 16},
        )
    ):
        for turn, kind in enumerate((pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string()))):
            path = tmp_path / f"{at}-{turn}.parquet"
            pq.write_table(table.cast(pa.schema([("a", kind)])), path, **options)
            records, cut, _ = cut_file("parquet", path)
            found.add((tuple(records), cut.schema_digest))
    assert len(found) == 1


def test_every_value_has_one_form_and_no_other_value_has_it():
    for one, other in [([0.0], [-0.0]), ([1], [None]), ([""], [None]), ([b"a", b"b"], [b"ab", b""])]:
        assert rows(pa.table({"a": one})) != rows(pa.table({"a": other}))
    nan = struct.unpack("<d", b"\1\0\0\0\0\0\xf8\x7f")[0]
    assert math.isnan(nan)
    assert rows(pa.table({"a": pa.array([nan])})) != rows(pa.table({"a": pa.array([math.nan])}))


def test_what_lies_under_a_null_is_no_part_of_the_record():
    values = pa.array([1, 2], type=pa.int64())
    hidden = pa.Array.from_buffers(pa.int64(), 2, [pa.py_buffer(b"\2"), values.buffers()[1]])
    assert rows(pa.table({"a": hidden})) == rows(pa.table({"a": pa.array([None, 2])}))
    text = pa.array(["ab", "c"])
    hidden = pa.Array.from_buffers(pa.string(), 2, [pa.py_buffer(b"\2"), *text.buffers()[1:]])
    assert rows(pa.table({"a": hidden})) == rows(pa.table({"a": pa.array([None, "c"])}))
    inner = pa.StructArray.from_arrays([pa.array([7, 8])], names=["x"], mask=pa.array([True, False]))
    assert rows(pa.table({"a": inner})) == rows(pa.table({"a": pa.array([None, {"x": 8}])}))


def test_times_decimals_and_all_the_others_have_a_form():
    moment = datetime(2026, 1, 1, 12, tzinfo=UTC)
    table = pa.table(
        {
            "t": pa.array([moment, None], type=pa.timestamp("us", tz="UTC")),
            "d": pa.array([date(2026, 1, 1), None]),
            "h": pa.array([time(12), None], type=pa.time64("us")),
            "p": pa.array([timedelta(1), None], type=pa.duration("s")),
            "n": pa.array([Decimal("1.50"), None], type=pa.decimal128(5, 2)),
            "f": pa.array([b"abc", None], type=pa.binary(3)),
            "z": pa.array([None, None], type=pa.null()),
            "m": pa.array([[("k", 1)], None], type=pa.map_(pa.string(), pa.int64())),
            "l": pa.array([[1, 2], None], type=pa.list_(pa.int16(), 2)),
            "k": pa.array(["a", None]).dictionary_encode(),
            "g": pa.array([1.5, None], type=pa.float16()),
        }
    )
    first, second = rows(table)
    assert len(first) > len(DIGEST)
    assert (int(moment.timestamp()) * 10**6).to_bytes(8, "little") in first
    assert (150).to_bytes(16, "little") in first
    assert b"\1abc" in first
    assert second.strip(b"\0") == DIGEST
    assert rows(table.slice(1)) == [second]
    assert [type_text(each.type) for each in table.schema] == [
        "timestamp(us,UTC)",
        "date32",
        "time64(us)",
        "duration(s)",
        "decimal128(5,2)",
        "bytes(3)",
        "null",
        "list(struct(3:key:utf8\n5:value:int64\n))",
        "array(2,int16)",
        "utf8",
        "float16",
    ]


def test_a_name_cannot_pose_as_another_schema():
    one = pa.schema([("a", pa.int64()), ("b", pa.int64())])
    other = pa.schema([("a:int64\n1:b", pa.int64())])
    swapped = pa.schema([("b", pa.int64()), ("a", pa.int64())])
    assert len({schema_digest(each) for each in (one, other, swapped)}) == 3


def test_types_without_a_form_are_refused():
    union = pa.UnionArray.from_sparse(pa.array([0], type=pa.int8()), [pa.array([1])])
    with pytest.raises(Malformed):
        schema_digest(pa.schema([("u", union.type)]))


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1" + bytes(100) + b"PAR1", b"x" * 1000])
def test_what_is_no_parquet_is_refused(tmp_path, data):
    (tmp_path / "x.parquet").write_bytes(data)
    with pytest.raises(Malformed) as raised:
        cut_file("parquet", tmp_path / "x.parquet")
    assert raised.value.code == "CON016"


def test_a_damaged_page_is_refused(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": list(range(10_000))}), path, compression="gzip", use_dictionary=False)
    data = bytearray(path.read_bytes())
    for at in range(100, 3000):
        data[at] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(Malformed):
        cut_file("parquet", path)
