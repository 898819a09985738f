"""``jsonl-raw/1``: lines as they are, and what is refused for being unclear."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from record_files import cut_bytes

from provenance.artifacts.records import source as source_module
from provenance.errors import Malformed


@pytest.mark.parametrize(
    ("data", "records"),
    [
        (b"", []),
        (b"a", [b"a"]),
        (b"a\n", [b"a"]),
        (b"a\nb", [b"a", b"b"]),
        (b'{"a": 1}\n{"a": 2}\n', [b'{"a": 1}', b'{"a": 2}']),
        (b" \n\t\n", [b" ", b"\t"]),
        (b"a\rb\n", [b"a\rb"]),
        (b"\xff\xfe\0\n", [b"\xff\xfe\0"]),
        ("\u2028\u0085\n".encode(), ["\u2028\u0085".encode()]),
        (b"a\n\xef\xbb\xbfb\n", [b"a", b"\xef\xbb\xbfb"]),
    ],
)
def test_records_are_lines(data, records):
    found, cut, digest = cut_bytes("jsonl", data)
    assert found == records
    assert (cut.header, cut.schema_digest) == (None, None)
    assert digest == hashlib.sha256(data).digest()


@pytest.mark.parametrize(
    "data",
    [b"\n", b"a\n\nb\n", b"a\n\n", b"\na\n", b"a\r\n", b"a\r\nb\n", b"a\nb\r", b"\r", b"\xef\xbb\xbfa\n"],
)
def test_what_is_unclear_is_refused(data):
    with pytest.raises(Malformed) as raised:
        cut_bytes("jsonl", data)
    assert raised.value.code == "CON016"


@given(
    st.lists(
        st.binary(min_size=1, max_size=50).filter(
            lambda line: b"\n" not in line and line[-1:] != b"\r" and not line.startswith(b"\xef\xbb\xbf")
        ),
        max_size=60,
    ),
    st.integers(1, 40),
    st.booleans(),
)
def test_chunks_do_not_matter(lines, size, ended):
    data = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    before = source_module._READ_SIZE
    source_module._READ_SIZE = size
    try:
        assert cut_bytes("jsonl", data)[0] == lines
    finally:
        source_module._READ_SIZE = before


def test_a_record_is_at_most_64_mib(monkeypatch):
    limit = source_module.MAX_RECORD_BYTES
    assert limit == 64 * 1024 * 1024
    assert [len(each) for each in cut_bytes("jsonl", b"a" * limit + b"\nb\n")[0]] == [limit, 1]
    for data in (b"a" * (limit + 1) + b"\n", b"a" * (limit + 1), b"b\n" + b"a" * (limit + 1)):
        with pytest.raises(Malformed, match="64 MiB"):
            cut_bytes("jsonl", data)
