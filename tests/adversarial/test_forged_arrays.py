"""An attacker forges what a pickle says of an array's type, so that numpy takes bytes for pointers or joblib unpickles them.

Numpy believes the state of a dtype: its flags, its size, its fields. Each story is refused; its honest counterpart passes.
"""

from __future__ import annotations

import io
import pickle
import struct

import numpy as np
import pytest

from provenance.scanning.verb import scan_bytes

DTYPE = b"cnumpy\ndtype\n"
TRUE, FALSE, NONE = b"\x88", b"\x89", b"N"


def integer(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def dtype(code: bytes, state: bytes = b"", *, copied: bytes = TRUE) -> bytes:
    made = DTYPE + b"(U" + bytes([len(code)]) + code + FALSE + copied + b"tR"
    return made + state + b"b" if state else made


def state(
    *, fields: bytes = NONE, names: bytes = NONE, size: int = -1, flags: int = 0, subtype: bytes = NONE
) -> bytes:
    ends = integer(size) + integer(1 if size > 0 else -1) + integer(flags)
    return b"(K\x03U\x01|" + subtype + names + fields + ends + b"t"


def decided(data: bytes, name: str = "model.pkl") -> str:
    return scan_bytes(b"\x80\x03" + data + b".", name).decision


def array(kind: bytes, data: bytes, shape: bytes = b"(K\x02t") -> bytes:
    fresh = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tC\x01btR"
    return fresh + b"(K\x01" + shape + kind + FALSE + data + b"tb"


def test_the_honest_ones_pass():
    assert decided(dtype(b"f8", state())) == "accepted"
    assert decided(array(dtype(b"O8", state(flags=63)), b"](NNe")) == "accepted"
    for value in (
        np.dtype([("a", "i4"), ("b", "O")]),
        np.dtype([("a", "u1"), ("b", "f8")], align=True),
        np.dtype([("a", "f4", (2, 3)), ("b", [("c", "M8[s]")])]),
        np.dtype("M8[us]"),
        np.dtype("U7"),
        np.array([("x", 1.5)], dtype=[("a", "U3"), ("b", "f8")]),
        np.array([("x", [1])], dtype=[("a", "U3"), ("b", "O")]),
        np.array([("x", 1.5)], dtype=[("a", "U3"), ("b", "f8")])[0],
        np.float64(1.5),
        np.str_("x"),
    ):
        for protocol in range(6):
            assert scan_bytes(pickle.dumps(value, protocol), "x.pkl").decision == "accepted", (
                value,
                protocol,
            )


@pytest.mark.parametrize("flags", [0, 1, 2, 8, 0x3F & ~2])
def test_a_type_that_denies_its_objects(flags):
    assert decided(array(dtype(b"O8", state(flags=flags)), b"C\x10" + b"A" * 16)) == "refused"


@pytest.mark.parametrize("flags", [1, 2, 27, 63])
def test_a_type_that_claims_objects(flags):
    assert decided(dtype(b"f8", state(flags=flags))) == "refused"


def test_a_field_beyond_its_item():
    fields = b"}U\x01a" + dtype(b"f8") + integer(1000) + b"\x86s"
    assert decided(dtype(b"V8", state(names=b"(U\x01at", fields=fields, size=8, flags=16))) == "refused"
    fields = b"}U\x01a" + dtype(b"f8") + integer(0) + b"\x86s"
    assert decided(dtype(b"V8", state(names=b"(U\x01at", fields=fields, size=8, flags=16))) == "accepted"


def test_a_number_over_an_object():
    one = b"U\x01a" + dtype(b"O8", state(flags=63)) + integer(0) + b"\x86"
    other = b"U\x01b" + dtype(b"i8") + integer(0) + b"\x86"
    forged = state(names=b"(U\x01aU\x01bt", fields=b"}(" + one + other + b"u", size=8, flags=27)
    assert decided(dtype(b"V8", forged)) == "refused"


def test_an_array_of_another_type_reaches_beyond_its_item():
    subtype = dtype(b"f8") + b"(K\x10t\x86"
    assert decided(dtype(b"V8", state(subtype=subtype, size=8))) == "refused"


def test_numpys_own_types_are_not_changed():
    assert decided(dtype(b"f8", state(), copied=FALSE)) == "refused"
    assert decided(DTYPE + b"(U\x02f8tR" + state() + b"b") == "refused"


def test_a_type_does_not_change_while_it_is_in_use():
    kind = dtype(b"V8", state(size=8)) + b"q\x07"
    assert decided(kind + b"0h\x07" + state(size=800) + b"b") == "refused"
    assert decided(array(dtype(b"O8") + b"q\x07", b"](NNe") + b"0h\x07" + state(flags=0) + b"b") == "refused"


def test_fewer_objects_than_the_shape_says():
    honest = dtype(b"O8", state(flags=63))
    assert decided(array(honest, b"](NNe", b"(M\xff\xfft")) == "refused"
    assert decided(array(honest, b"](NNe", b"(K\x01K\x02t")) == "accepted"


def test_scalars_and_buffers_of_objects():
    kind = dtype(b"O8", state(flags=63))
    assert decided(b"cnumpy.core.multiarray\nscalar\n(" + kind + b"C\x08AAAAAAAAtR") == "refused"
    assert (
        decided(b"cnumpy.core.numeric\n_frombuffer\n(C\x08AAAAAAAA" + kind + b"(K\x01tU\x01CtR") == "refused"
    )
    numbers = array(dtype(b"i8"), b"C\x10" + bytes(16))
    assert decided(b"cnumpy.core.multiarray\nscalar\n(" + dtype(b"f8") + numbers + b"tR") == "refused"


# --- joblib: where an array ends decides what is opcodes -------------------------------------------------------------

EVIL = b"\x80\x02cposix\ngetpid\n)R."


def wrapped(kind: bytes, rest: bytes, shape: bytes = b"(K\x04t", more: bytes = b"") -> bytes:
    entries = b"U\x05shape" + shape + b"U\x05dtype" + kind + b"U\x05orderU\x01C" + more
    wrapper = b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(" + entries + b"ub"
    return b"\x80\x03" + wrapper + rest + b"."


def joblib(data: bytes) -> str:
    return scan_bytes(data, "model.joblib").decision


def test_an_honest_wrapper_passes():
    assert joblib(wrapped(dtype(b"f8"), bytes(32))) == "accepted"
    assert joblib(wrapped(dtype(b"O8", state(flags=63)), pickle.dumps([1], 2))) == "accepted"


def test_numbers_that_joblib_would_unpickle():
    assert joblib(wrapped(dtype(b"f8", state(flags=63)), EVIL.ljust(32, b"."))) == "refused"


def test_an_alignment_that_only_joblib_sees():
    aligned = b"U\x1bnumpy_array_alignment_bytes" + TRUE
    assert joblib(wrapped(dtype(b"f8"), bytes(32), more=aligned)) == "refused"
    junk = b"".join(b"U\x04" + f"k{index:03x}".encode() + b"K\0" for index in range(1200))
    assert joblib(wrapped(dtype(b"f8"), bytes(32), more=junk + aligned)) == "refused"


def test_an_array_within_an_array_of_objects():
    """Python's own unpickler reads the inner pickle: it would take the array's bytes for opcodes."""
    hidden = b"0cposix\ngetpid\n)R."
    inner = wrapped(dtype(b"V32", state(size=32)), hidden.ljust(32, b"N"))
    assert joblib(wrapped(dtype(b"O8", state(flags=63)), inner)) == "refused"


def test_an_array_that_is_opcodes_for_whoever_uses_pickle():
    for hidden in (
        b"0cposix\ngetpid\n)R.",
        b"N" * 5000 + b"cposix\ngetpid\n)R.",
        b"X\xff\0\0\0" + bytes(255) + EVIL,
    ):
        size = len(hidden)
        data = wrapped(dtype(b"V8", state(size=size)), hidden, b"(K\x01t")
        found: list[tuple[str, str]] = []

        class Loads(pickle.Unpickler):
            def find_class(self, module: str, name: str, found: list[tuple[str, str]] = found) -> object:
                found.append((module, name))
                return type(
                    "Stub", (), {"__init__": lambda self, *_: None, "__setstate__": lambda self, _: None}
                )

        Loads(io.BytesIO(data)).load()
        assert ("posix", "getpid") in found  # the attack works
        assert joblib(data) == "refused"
