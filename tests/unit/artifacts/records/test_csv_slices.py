"""``csv-raw/1``: slices as RFC 4180 cuts them, held against the standard library's reader."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from record_files import cut_bytes

from provenance.artifacts.records import source as source_module
from provenance.errors import Malformed


@pytest.mark.parametrize(
    ("data", "header", "records"),
    [
        (b"a,b\n", "a,b", []),
        (b"a,b\n1,2", "a,b", [b"1,2"]),
        (b"a,b\r\n1,2\r\n3,4\r\n", "a,b", [b"1,2", b"3,4"]),
        (b'a\n"x\ny"\n"p\r\nq"\n', "a", [b'"x\ny"', b'"p\r\nq"']),
        (b'a\n"say ""hi"""\n', "a", [b'"say ""hi"""']),
        (b'"a\nb",c\n1,2\n', '"a\nb",c', [b"1,2"]),
        ("\ufeffa,b\n1,2\n".encode(), "\ufeffa,b", [b"1,2"]),
        (b"a\n\xff\n", "a", [b"\xff"]),
        (b'a,b\n"",\n,""\n', "a,b", [b'"",', b',""']),
    ],
)
def test_records_are_slices(data, header, records):
    found, cut, _ = cut_bytes("csv", data)
    assert (cut.header, found) == (header, records)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"a\n\n1\n",
        b'a\n1"2\n',
        b'a\n"1"2\n',
        b'a\n"1\n2\n',
        b"a\n1\r2\n",
        b"a\n1\r\r\n",
        b'a\n"x" ,y\n',
        b"\xff,b\n1,2\n",
        b'a\nx"y\nz"w\n',
        b"a" * (64 * 1024 + 1) + b"\n1\n",
    ],
)
def test_what_is_unclear_is_refused(data):
    with pytest.raises(Malformed) as raised:
        cut_bytes("csv", data)
    assert raised.value.code == "CON016"


# Without quotes around all fields the library writes bare carriage returns, which its own reader takes otherwise.
fields = st.text(st.sampled_from('ab",\n é'), max_size=6)


@given(
    st.integers(2, 4).flatmap(
        lambda width: st.lists(st.lists(fields, min_size=width, max_size=width), min_size=1, max_size=12)
    ),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 30),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_rows_that_the_standard_library_writes_are_the_records(rows, end, size, quoting):
    text = io.StringIO()
    csv.writer(text, lineterminator=end, quoting=quoting).writerows(rows)
    data = text.getvalue().encode()
    before = source_module._READ_SIZE
    source_module._READ_SIZE = size
    try:
        found, cut, _ = cut_bytes("csv", data)
    finally:
        source_module._READ_SIZE = before
    slices = [cut.header.encode(), *found]
    assert [next(csv.reader(io.StringIO(each.decode(), newline=""))) for each in slices] == rows


def test_a_quote_that_stays_open_is_bounded():
    limit = source_module.MAX_RECORD_BYTES
    with pytest.raises(Malformed, match="64 MiB"):
        cut_bytes("csv", b'a\n"' + b"x\n" * (limit // 2 + 1))


def test_refusing_takes_no_longer_than_reading():
    """No text makes the expression try many ways."""
    with pytest.raises(Malformed):
        cut_bytes("csv", b'a\n"' + b'""' * 500_000 + b"x\n")
    with pytest.raises(Malformed):
        cut_bytes("csv", b"a\n" + b'"",' * 500_000 + b'"x\n')
