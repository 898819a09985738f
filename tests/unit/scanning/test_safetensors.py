"""The strict header parser, with the `safetensors` library as the oracle for what it accepts."""

from __future__ import annotations

import json
import struct

import pytest
import safetensors
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.errors import Malformed
from provenance.scanning.safetensors import BITS, MAX_HEADER_BYTES, Header, header_length, parse_header

ONE = '"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'


def file_of(header: object, body: bytes = b"", pad: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text + pad)) + text + pad + body


def parse(data: bytes) -> Header:
    return parse_header(data, len(data))


def entry(dtype: str, shape: list[int], start: int, end: int) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def test_tensors_come_in_the_order_of_their_bytes_with_offsets_into_the_file():
    data = file_of({"b": entry("F32", [2], 4, 12), "a": entry("I16", [2, 1], 0, 4)}, bytes(12))
    header = parse(data)
    assert [(t.name, t.dtype, t.shape, t.end - t.start) for t in header.tensors] == [
        ("a", "I16", (2, 1), 4),
        ("b", "F32", (2,), 8),
    ]
    assert header.tensors[0].start == header.data_start == len(data) - 12
    assert header.tensors[1].end == len(data)
    assert header.metadata == {}


@pytest.mark.parametrize("dtype", BITS)
def test_every_dtype_is_known_to_the_library_too(dtype: str):
    data = file_of({"a": entry(dtype, [2, 4], 0, BITS[dtype])}, bytes(BITS[dtype]))
    assert parse(data).tensors[0].dtype == dtype
    assert safetensors.deserialize(data)[0][1]["dtype"] == dtype


def test_no_tensors_scalars_empty_tensors_metadata_and_padding_are_fine():
    assert parse(file_of({})).tensors == ()
    assert parse(file_of({"__metadata__": {"format": "pt", "a:b": '"'}}, pad=b"  ")).metadata == {
        "format": "pt",
        "a:b": '"',
    }
    header = parse(
        file_of(
            {"z": entry("F32", [0, 3], 0, 0), "s": entry("F64", [], 0, 8), "e": entry("U8", [0], 8, 8)},
            bytes(8),
        )
    )
    assert [(t.name, t.shape) for t in header.tensors] == [("z", (0, 3)), ("s", ()), ("e", (0,))]


def test_names_may_need_escapes_and_hold_any_character():
    names = ['quote"colon:brace{', "back\\slash", "é", "\x00", "", "line\nbreak", "__metadata__ "]
    header = {name: entry("U8", [1], i, i + 1) for i, name in enumerate(names)}
    assert [t.name for t in parse(file_of(header, bytes(len(names)))).tensors] == names


REFUSED = {
    "empty file": (b"", "ends before its header"),
    "seven bytes": (b"\x00" * 7, "ends before its header"),
    "zero length": (bytes(8), "brace"),
    "longer than the file": (struct.pack("<Q", 3) + b"{}", "the file has 2"),
    "over the bound": (struct.pack("<Q", MAX_HEADER_BYTES + 1) + b"{}", "at most"),
    "sign bit": (struct.pack("<Q", 2**63) + b"{}", "at most"),
    "array": (file_of(b"[]"), "brace"),
    "leading space": (file_of(b" {}"), "brace"),
    "trailing newline": (file_of(b"{}\n"), "spaces"),
    "trailing NUL": (file_of(b"{}\x00"), "spaces"),
    "two objects": (file_of(b"{}{}"), "JSON"),
    "unclosed": (file_of(b'{"a":{}'), "JSON"),
    "bad UTF-8 in a name": (file_of(b'{"\xff' + ONE[2:].encode() + b"}", bytes(4)), "UTF-8"),
    "lone surrogate": (
        file_of(b'{"\\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', bytes(4)),
        "JSON",
    ),
    "control character": (
        file_of(b'{"\n":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', bytes(4)),
        "JSON",
    ),
    "pickle": (b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00", "the file has 2"),
    "duplicate tensor": (file_of(f"{{{ONE},{ONE}}}".encode(), bytes(4)), "key a occurs twice"),
    "duplicate by escape": (
        file_of(f"{{{ONE},{ONE.replace('a', chr(92) + 'u0061', 1)}}}".encode(), bytes(4)),
        "key a",
    ),
    "duplicate inside": (
        file_of(f'{{{ONE[:-1]},"dtype":"F32"}}}}'.encode(), bytes(4)),
        "key dtype occurs twice",
    ),
    "duplicate metadata": (file_of(b'{"__metadata__":{},"__metadata__":{}}'), "__metadata__ occurs twice"),
    "duplicate in metadata": (file_of(b'{"__metadata__":{"a":"b","a":"c"}}'), "key a occurs twice"),
    "metadata number": (file_of({"__metadata__": {"a": 1}}), "metadata"),
    "metadata null": (file_of({"__metadata__": None}), "digits"),
    "metadata nested": (file_of({"__metadata__": {"a": {"b": "c"}}}), "metadata"),
    "entry as array": (file_of(b'{"a":["F32",[1],[0,4]]}', bytes(4)), "tensor a"),
    "unknown field": (file_of(f'{{{ONE[:-1]},"x":"y"}}}}'.encode(), bytes(4)), "tensor a"),
    "missing field": (file_of({"a": {"dtype": "F32", "shape": [1]}}, bytes(4)), "data_offsets"),
    "three offsets": (
        file_of({"a": {**entry("F32", [1], 0, 4), "data_offsets": [0, 4, 4]}}, bytes(4)),
        "tensor a",
    ),
    "unknown dtype": (
        file_of({"a": entry("F31", [1], 0, 4)}, bytes(4)),
        "tensor a has the unknown dtype F31",
    ),
    "dtype number": (file_of({"a": {**entry("", [1], 0, 4), "dtype": 5}}, bytes(4)), "tensor a"),
    "negative axis": (file_of({"a": entry("F32", [-1], 0, 4)}, bytes(4)), "digits"),
    "two negative axes": (file_of({"a": entry("F32", [-1, -1], 0, 4)}, bytes(4)), "digits"),
    "minus zero": (file_of(b'{"a":{"dtype":"F32","shape":[-0],"data_offsets":[0,0]}}'), "digits"),
    "fraction": (file_of({"a": entry("F32", [1.0], 0, 4)}, bytes(4)), "digits"),  # type: ignore[list-item]
    "exponent": (file_of(b'{"a":{"dtype":"F32","shape":[1e0],"data_offsets":[0,4]}}', bytes(4)), "digits"),
    "true": (file_of({"a": entry("F32", [True], 0, 4)}, bytes(4)), "digits"),
    "wraps to the right length": (file_of({"a": entry("F32", [2**32, 2**32, 0], 0, 0)}), "overflows"),
    "wraps in 64 bits": (file_of({"a": entry("U8", [2**63 + 2, 2], 0, 4)}, bytes(4)), "overflows"),
    "huge empty axis": (file_of({"a": entry("U8", [0, 2**64], 0, 0)}), "overflows"),
    "too many axes": (file_of({"a": entry("U8", [1] * 33, 0, 1)}, bytes(1)), "33 dimensions"),
    "half a byte": (file_of({"a": entry("F4", [3], 0, 2)}, bytes(2)), "whole byte"),
    "too short": (file_of({"a": entry("F32", [2], 0, 4)}, bytes(4)), "tensor a is F32 [2] and has 4 bytes"),
    "reversed": (file_of({"a": entry("F32", [0], 4, 0)}, bytes(4)), "tensor a lies outside"),
    "past the end": (file_of({"a": entry("F32", [2], 0, 8)}, bytes(4)), "tensor a lies outside"),
    "hole": (
        file_of({"a": entry("U8", [1], 0, 1), "b": entry("U8", [1], 2, 3)}, bytes(3)),
        "tensor b has unowned",
    ),
    "hole at the start": (file_of({"a": entry("U8", [1], 1, 2)}, bytes(2)), "tensor a has unowned"),
    "overlap": (
        file_of({"a": entry("U8", [2], 0, 2), "b": entry("U8", [2], 1, 3)}, bytes(3)),
        "tensor b overlaps",
    ),
    "the same bytes": (
        file_of({"a": entry("U8", [2], 0, 2), "b": entry("U8", [2], 0, 2)}, bytes(2)),
        "overlaps",
    ),
    "empty inside another": (
        file_of({"a": entry("U8", [2], 0, 2), "b": entry("U8", [0], 1, 1)}, bytes(2)),
        "tensor b overlaps",
    ),
    "trailing byte": (file_of({"a": entry("U8", [2], 0, 2)}, bytes(3)), "1 bytes follow"),
    "body without tensors": (file_of({}, bytes(1)), "1 bytes follow"),
    "deep nesting": (file_of(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), ""),
    "deep objects": (file_of(b'{"a":' * 50_000 + b"{}" + b"}" * 50_000), ""),
}


@pytest.mark.parametrize(("data", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_a_header_that_does_not_describe_the_file_is_refused(data: bytes, message: str):
    with pytest.raises(Malformed) as refusal:
        parse(data)
    assert message in refusal.value.message
    assert refusal.value.code == "FMT003"
    assert len(refusal.value.message) < 600


def test_the_header_must_be_all_there():
    data = file_of({"a": entry("U8", [2], 0, 2)}, bytes(2))
    with pytest.raises(Malformed, match="inside its header"):
        parse_header(data[:20], len(data))
    assert header_length(data[:8], len(data)) == len(data) - 10


def test_long_names_are_cut_in_messages():
    with pytest.raises(Malformed) as refusal:
        parse(file_of({"n" * 100_000: entry("F31", [1], 0, 4)}, bytes(4)))
    assert len(refusal.value.message) < 300


tokens = st.sampled_from(
    [
        '"a"',
        '"b"',
        '"\\u0061"',
        '"__metadata__"',
        '"dtype"',
        '"shape"',
        '"data_offsets"',
        '"F32"',
        '"U8"',
        '"F4"',
    ]
    + ["{", "}", "[", "]", ",", ":", " ", "0", "1", "2", "4", "8", "-", ".", "\n", "null", "true", '"']
)
valid = [
    f"{{{ONE}}}",
    (
        '{"__metadata__":{"a":"b"},"a":{"dtype":"U8","shape":[2,1],"data_offsets":[0,2]},'
        '"b":{"shape":[4],"dtype":"F4","data_offsets":[2,4]}}'
    ),
]


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(valid), st.lists(st.tuples(st.integers(0, 200), st.integers(0, 3), tokens), max_size=3)
)
def test_what_is_accepted_the_library_accepts_with_the_same_tensors(
    text: str, edits: list[tuple[int, int, str]]
):
    for position, removed, token in edits:
        place = position % (len(text) + 1)
        text = text[:place] + token + text[place + removed :]
    data = file_of(text.encode(), b"\x01\x02\x03\x04")
    try:
        header = parse(data)
    except Malformed:
        return
    theirs = {
        name: (view["dtype"], tuple(view["shape"]), bytes(view["data"]))
        for name, view in safetensors.deserialize(data)
    }
    assert theirs == {t.name: (t.dtype, t.shape, data[t.start : t.end]) for t in header.tensors}


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_garbage_is_refused_and_never_raises_anything_else(data: bytes):
    for text in (data, file_of(data), file_of(b"{" + data + b"}")):
        try:
            header = parse(text)
        except Malformed:
            continue
        assert header.tensors == ()
