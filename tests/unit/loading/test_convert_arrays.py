"""Arrays of numpy in all their wrappings: conversion writes what numpy would load."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import zlib
from collections import OrderedDict, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file

from provenance.loading.convert import Conversion, convert

CODES = [
    "?",
    "i1",
    "u1",
    "<i2",
    ">i2",
    "<u2",
    "<i4",
    ">i4",
    "<u8",
    "<f2",
    ">f2",
    "<f4",
    ">f4",
    "<f8",
    ">f8",
    "<c8",
    ">c8",
]


def arrays() -> st.SearchStrategy[np.ndarray]:
    """Arrays of any dtype that safetensors has, in C or Fortran order, big-endian ones among them."""

    @st.composite
    def array(draw: st.DrawFn) -> np.ndarray:
        dtype = np.dtype(draw(st.sampled_from(CODES)))
        shape = tuple(draw(st.lists(st.integers(0, 4), max_size=3)))
        size = int(np.prod(shape)) * dtype.itemsize
        data = draw(st.binary(min_size=size, max_size=size))
        if dtype == np.bool_:
            data = bytes(byte & 1 for byte in data)
        made = np.frombuffer(data, dtype).reshape(shape)
        return np.asfortranarray(made) if draw(st.booleans()) else made

    return array()


def same(got: np.ndarray, wanted: np.ndarray) -> bool:
    """The same values bit for bit, whatever the byte order and the layout."""
    little = np.ascontiguousarray(wanted).astype(wanted.dtype.newbyteorder("<")).reshape(wanted.shape)
    return (got.dtype, got.shape, got.tobytes()) == (little.dtype, little.shape, little.tobytes())


def converted(data: bytes, where: Path, name: str = "source.pkl", **options: Any) -> Conversion:
    (where / name).write_bytes(data)
    return convert(where / name, where / "result.safetensors", **options)


def tensors(result: Conversion) -> dict[str, np.ndarray]:
    assert result.path is not None, result.findings
    return load_file(result.path)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(arrays(), min_size=1, max_size=3), st.integers(0, 5))
def test_pickled_arrays_of_every_protocol(tmp_path: Path, values: list[np.ndarray], protocol: int) -> None:
    data = pickle.dumps({"list": values[1:], "first": values[0]}, protocol)
    got = tensors(converted(data, tmp_path))
    assert same(got["first"], values[0])
    assert all(same(got[f"list.{index}"], value) for index, value in enumerate(values[1:]))
    assert len(got) == len(values)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(arrays(), min_size=1, max_size=3))
def test_npy_and_npz(tmp_path: Path, values: list[np.ndarray]) -> None:
    file = io.BytesIO()
    np.save(file, values[0])
    assert same(tensors(converted(file.getvalue(), tmp_path, "a.npy"))["tensor"], values[0])
    for save in (np.savez, np.savez_compressed):
        file = io.BytesIO()
        save(file, *values, **{"name.of": values[0]})
        got = tensors(converted(file.getvalue(), tmp_path, "a.npz"))
        assert same(got["name.of"], values[0])
        assert all(same(got[f"arr_{index}"], value) for index, value in enumerate(values))


@pytest.mark.parametrize("protocol", range(6))
def test_large_arrays_whose_bytes_are_text(tmp_path: Path, protocol: int) -> None:
    """Before protocol 3 bytes are written as text, which is decoded piece by piece."""
    value = np.random.default_rng(0).integers(0, 256, (300, 700), dtype=np.uint8)
    assert same(tensors(converted(pickle.dumps(value, protocol), tmp_path))["tensor"], value)
    assert same(tensors(converted(pickle.dumps(value.T, protocol), tmp_path))["tensor"], value.T)


def test_what_python_2_wrote(tmp_path: Path) -> None:
    """Strings of Python 2 hold the bytes as they are, or as a line with escapes."""
    value = np.array([1.5, -2.5, 1e-300])
    raw = value.tobytes()
    head = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I3\ntcnumpy\ndtype\n"
        b"(S'f8'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\n"
    )
    for text in (b"S" + repr(raw)[1:].encode() + b"\n", b"U" + bytes([len(raw)]) + raw):
        assert same(tensors(converted(head + text + b"tb.", tmp_path))["tensor"], value)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zlib.compress])
def test_packed_pickles(tmp_path: Path, pack: Any) -> None:
    value = {"a": np.arange(1000.0)}
    assert same(tensors(converted(pack(pickle.dumps(value)), tmp_path))["a"], value["a"])


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("bz2", 3)])
def test_joblib(tmp_path: Path, compress: Any) -> None:
    joblib = pytest.importorskip("joblib")
    value = {"w": [np.arange(12.0).reshape(3, 4), np.asfortranarray(np.ones((2, 3), ">f4"))], "n": 3}
    joblib.dump(value, tmp_path / "model.joblib", compress=compress)
    got = tensors(convert(tmp_path / "model.joblib", tmp_path / "result.safetensors"))
    assert same(got["w.0"], value["w"][0])
    assert same(got["w.1"], value["w"][1])


def test_containers_scalars_and_plain_values(tmp_path: Path) -> None:
    made = defaultdict(list, {"x": [np.float32(1.5)]})
    value = OrderedDict([("deep", {"er": (np.ones(2), 1.5)}), ("made", made), ("words", ["a", None, True])])
    value[7] = np.zeros(1, "i2")
    result = converted(pickle.dumps(value), tmp_path)
    got = tensors(result)
    assert set(got) == {"deep.er.0", "made.x.0", "7"}
    assert same(got["made.x.0"], np.array(1.5, "f4"))
    assert result.path is not None
    with safe_open(result.path, "np") as file:
        assert file.metadata()["format"] == "np"
        assert json.loads(file.metadata()["provenance.values"]) == {
            "deep.er.1": 1.5,
            "words": ["a", None, True],
        }


def test_later_items_take_the_place_of_earlier_ones(tmp_path: Path) -> None:
    """As in a dict."""
    data = b"(dS'a'\nI1\nsS'a'\n" + pickle.dumps(np.ones(2), 0)[:-1] + b"s."
    assert set(tensors(converted(data, tmp_path))) == {"a"}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.array([object()]), "Python objects"),
        (np.array(["a", "b"]), "dtype <U1"),
        (np.array([1j]), "dtype <c16"),
        (np.array([(1, 2.0)], [("a", "i4"), ("b", "f4")]), "records"),
        (np.array(["2020-01-01"], "M8[D]"), "dtype <M8"),
        ({1.5: np.ones(1)}, "keys are neither strings nor integers"),
        (b"bytes", "data"),
    ],
    ids=str,
)
def test_what_cannot_be_carried_is_said(tmp_path: Path, value: Any, words: str) -> None:
    result = converted(pickle.dumps({"good": np.ones(1), "bad": value}), tmp_path)
    assert result.decision == "refused"
    assert [one.name for one in result.left_behind] == ["bad"]
    assert words in result.left_behind[0].what
    assert set(
        tensors(converted(pickle.dumps({"good": np.ones(1), "bad": value}), tmp_path, partial=True))
    ) == {"good"}
