"""Numbers written as text: what either unpickler of CPython reads is read, and nothing else."""

from __future__ import annotations

import io
import pickle

import pytest

from provenance.scanning.pickles.numbers import float_of, index_of, integer_of

INTEGERS = [
    b"1",
    b"-5",
    b"+5",
    b" 7",
    b"0x10",
    b"010",
    b"1\0x",
    b"1_0",
    b"2L",
    b"00",
    b"x",
    b"1x",
    b"--1",
    b"09",
    b"",
]


@pytest.mark.parametrize("line", INTEGERS)
def test_integers_are_those_of_the_unpicklers(line):
    opcode = b"L" if line.endswith(b"L") else b"I"
    found = set()
    for unpickler in (pickle.Unpickler, pickle._Unpickler):  # type: ignore[attr-defined]
        try:
            found.add(int(unpickler(io.BytesIO(opcode + line + b"\n.")).load()))
        except Exception:
            continue
    assert {integer_of(line)} == (found or {None})


def test_places_in_the_memo():
    assert [index_of(line) for line in (b"7", b" 7", b"7\0x", b"0x7", b"", b"x")] == [
        7,
        7,
        7,
        None,
        None,
        None,
    ]


def test_floats():
    assert [float_of(line) for line in (b"1.5", b"1\0x", b"inf", b"x", b"")] == [
        1.5,
        1.0,
        float("inf"),
        None,
        None,
    ]
