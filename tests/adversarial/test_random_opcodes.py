"""Random sequences of opcodes, run by both unpicklers of CPython: whatever they import, the reader has seen.

Imports are recorded and give stubs that can be called, filled and given a state, so that the sequences go on.
"""

from __future__ import annotations

import io
import pickle
import random
import struct
from typing import Any, Self

import pytest

from provenance.scanning.pickles.names import canonical
from provenance.scanning.pickles.reading import read_streams
from provenance.scanning.pickles.report import Report
from provenance.scanning.pickles.source import ReaderSource
from provenance.scanning.readers import BytesReader
from provenance.scanning.verb import scan_bytes

NAMES = [b"os", b"posix", b"system", b"getpid", b"builtins", b"eval", b"collections", b"x.y"]
NUMBERS = [b"0", b"1", b"2", b"00", b"01", b" 1", b"+1", b"-1", b"0x1", b"010", b"1L", b"1_0", b"1\0x", b"1 "]
FLOATS = [b"1.5", b"nan", b"1\0z", b" 1", b"1_0", b"0x1", b"1e5 "]
CALLS = [b"R", b"\x81", b"\x92", b"o", b"b"]
MOVES = [
    b"0",
    b"1",
    b"2",
    b"(",
    b"t",
    b"l",
    b"d",
    b"\x85",
    b"\x86",
    b"\x87",
    b"a",
    b"e",
    b"s",
    b"u",
    b"\x90",
    b"\x91",
]
VALUES = [
    b"N",
    b"\x88",
    b"]",
    b"}",
    b")",
    b"\x8f",
    b"K\1",
    b"J\0\0\0\0",
    b"M\0\0",
    b"G" + bytes(8),
    b"\x8a\1\1",
]


def text(rng: random.Random) -> bytes:
    name = rng.choice(NAMES)
    forms = [
        b"\x8c" + bytes([len(name)]) + name,
        b"X" + struct.pack("<I", len(name)) + name,
        b"\x8d" + struct.pack("<Q", len(name)) + name,
        b"V" + name + b"\n",
        b"S'" + name + b"'\n",
        b"U" + bytes([len(name)]) + name,
        b"V\\u006fs\n",
        b"S'\\x6fs'\n",
    ]
    return rng.choice(forms)


def memo(rng: random.Random) -> bytes:
    place = rng.randrange(4)
    line = rng.choice(NUMBERS) + b"\n"
    forms = [b"q%c" % place, b"h%c" % place, b"r" + struct.pack("<I", place), b"j" + struct.pack("<I", place)]
    return rng.choice([*forms, b"p" + line, b"g" + line, b"\x94"])


def opcode(rng: random.Random) -> bytes:
    chance = rng.random()
    if chance < 0.25:
        return text(rng)
    if chance < 0.40:
        lines = rng.choice(NAMES) + b"\n" + rng.choice(NAMES) + b"\n"
        return rng.choice([b"\x93", b"c" + lines, b"(i" + lines])
    if chance < 0.50:
        return memo(rng)
    if chance < 0.60:
        line = rng.choice([b"I", b"L"]) + rng.choice(NUMBERS) + b"\n"
        return rng.choice([*VALUES, line, b"F" + rng.choice(FLOATS) + b"\n"])
    if chance < 0.75:
        return rng.choice(CALLS)
    if chance < 0.96:
        return rng.choice(MOVES)
    return rng.choice([b"\x80%c" % rng.randrange(6), b"\x95" + struct.pack("<Q", rng.randrange(30)), b"."])


class Stub:
    """Whatever an import gives: it can be called, filled and given a state."""

    def __new__(cls, *_: Any, **__: Any) -> Self:
        return object.__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __call__(self, *_: Any) -> Stub:
        return Stub()

    def __setitem__(self, _key: Any, _value: Any) -> None:
        pass

    append = extend = add = __setstate__ = lambda self, _: None


def imported(data: bytes) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()

    def find_class(_self: Any, module: str, name: str) -> type:
        found.add((module, name))
        return Stub

    for base in (pickle.Unpickler, pickle._Unpickler):  # type: ignore[attr-defined]
        unpickler = type("Recording", (base,), {"find_class": find_class})
        try:
            unpickler(io.BytesIO(data)).load()
        except Exception:
            continue
    return found


@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_imported_was_seen(seed):
    rng = random.Random(seed)
    importing = 0
    for _ in range(1500):
        begin = b"\x80" + bytes([rng.choice((2, 4, 5))]) if rng.random() < 0.5 else b"N" * rng.randrange(3)
        data = begin + b"".join(opcode(rng) for _ in range(rng.randrange(3, 40))) + b"."
        real = imported(data)
        importing += bool(real)
        if not real:
            continue
        report = Report()
        read_streams(ReaderSource(BytesReader(data)), {}, report)
        unseen = {
            pair for pair in real if pair not in report.globals and canonical(*pair, 2) not in report.globals
        }
        forged = any(finding.rule == "PKL009" for finding in report.findings)  # frames: refused in any case
        assert not unseen or forged, (data, unseen)
        assert scan_bytes(data, "model.pkl").decision != "accepted", data
    assert importing > 100
