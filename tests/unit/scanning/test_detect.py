"""Formats are told by content; a name never makes a pickle harmless."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import tarfile
import zipfile
import zlib
from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.scanning.detect import HEAD_BYTES, TAIL_BYTES, detect


def format_of(data: bytes, name: str = "") -> str:
    return detect(data[:HEAD_BYTES], len(data), data[-TAIL_BYTES:], name)


class Runs:
    """Loading its pickle would call a harmless function."""

    def __reduce__(self):
        return os.getpid, ()


def zipped(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, b"{}")
    return file.getvalue()


def tarred(*names: str) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = 2
            archive.addfile(member, io.BytesIO(b"{}"))
    return file.getvalue()


def saved(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "value", [Runs(), OrderedDict(a=1), os.getpid, {"a": [1, 2.5, "x", b"y", None]}, (1, 2)]
)
def test_pickles_of_every_protocol(value, protocol):
    data = pickle.dumps(value, protocol)
    for name in ("", "weights.safetensors", "config.json", "README.md", "model"):
        assert format_of(data, name) == "pickle"


@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_pickles_without_a_magic_number(protocol):
    data = pickle.dumps(Runs(), protocol)
    assert format_of(data[2:] if protocol == 2 else data) == "pickle"


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickle_without_its_end_is_one(protocol):
    assert format_of(pickle.dumps(Runs(), protocol)[:-1] + b"garbage") == "pickle"


@pytest.mark.parametrize(
    "padding", [b"N0" * 200_000, b"V" + b"a" * 100_000 + b"\n0", b"X\0\0\x20\0" + b"a" * 2**21 + b"0"]
)
def test_padding_in_front_of_the_payload(padding):
    assert format_of(padding + pickle.dumps(Runs(), 0)) == "pickle"


def test_a_payload_in_the_second_stream():
    assert format_of(b"I1\n." + pickle.dumps(Runs(), 0)) == "pickle"


@pytest.mark.parametrize(
    "pack",
    [
        gzip.compress,
        zlib.compress,
        bz2.compress,
        lzma.compress,
        lambda data: gzip.compress(bz2.compress(data)),
    ],
)
def test_compressed_content_is_followed(pack):
    assert format_of(pack(pickle.dumps(Runs()))) == "pickle"
    assert format_of(pack(b"a,b\n1,2\n" * 30_000)) == "text"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"signme-1",
        b"a,b,c\n1,2,3\n",
        b"click\nrich\ncryptography\nnumpy\n",
        b"cos\nsin\ntan\n",
        b"cat\ndog\ncow\nhen\nRabbit\n",
        b"(c) Copyright 2026\nAll rights reserved.\n",
        b"# Title\n\nSome *text*.\n",
        b"N.B. this is a note.\n",
        b"Project Gutenberg\n" * 10_000,
        b"key: value\nlist:\n  - 1\n",
        b"[section]\nkey = 1\n",
        b"{% if messages %}{{ bos }}{% endif %}",
        "Übergröße\n".encode(),
        "déjà vu, un peu plus long\n".encode("latin-1"),
        "a line\n".encode("utf-16"),
    ],
)
def test_texts_are_no_pickles(text):
    assert format_of(text) == "text"


@pytest.mark.parametrize(
    "text", [b"import os\nimport sys\n", b"class Foo:\n    pass\n", b"#!/bin/sh\nls\n", b"# x\n\ndef f(a):\n"]
)
def test_code(text):
    assert format_of(text) == "code"
    assert format_of(text, "model.py") == "code"


@pytest.mark.parametrize("value", [{}, {"a": 1}, [1, 2], [], [{"a": "é"}]])
def test_json(value):
    assert format_of(json.dumps(value).encode(), "anything") == "json"
    assert format_of(json.dumps(value, indent=2, ensure_ascii=False).encode()) == "json"


def test_safetensors():
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    assert format_of(len(header).to_bytes(8, "little") + header + bytes(4)) == "safetensors"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("archive/data.pkl", "archive/version"), "torch"),
        (("m/data.pkl", "m/code/__torch__.py", "m/constants.pkl"), "torchscript"),
        (("M/DATA.PKL",), "torch"),
        (("a.npy", "b.npy"), "numpy"),
        (("metadata.json", "config.json", "model.weights.h5"), "keras"),
        (("schema.json",), "skops"),
        (("MAR-INF/MANIFEST.json", "model.pt"), "mar"),
        (("serialized_exported_program.json",), "torch-export"),
        (("readme.txt",), "zip"),
    ],
)
def test_zips_by_their_members(names, expected):
    assert format_of(zipped(*names)) == expected
    assert format_of(b"#!/bin/sh\n" + zipped(*names)) == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("a", "b"), "tar"),
        (("./model_config.yaml", "./model_weights.ckpt"), "nemo"),
        (("sys_info", "pickle", "storages", "tensors"), "torch"),
    ],
)
def test_tars_by_their_members(names, expected):
    assert format_of(tarred(*names)) == expected
    assert format_of(gzip.compress(tarred(*names))) == expected


def test_arrays():
    assert format_of(saved(np.zeros(3))) == "numpy"
    assert format_of(saved(np.array([{}], dtype=object))) == "pickle"
    assert format_of(saved(np.zeros(2, dtype=[("a", "f4"), ("b", object)]))) == "pickle"


def test_magic_numbers():
    assert format_of(b"GGUF\3\0\0\0" + bytes(16)) == "gguf"
    assert format_of(b"\x89HDF\r\n\x1a\n" + bytes(100)) == "hdf5"
    assert format_of(b"7z\xbc\xaf\x27\x1c" + bytes(100)) == "7z"
    assert format_of(b"tree\nversion=v4\nnum_class=1\n") == "lightgbm"
    assert format_of(b'{"learner":{"gradient_booster":{}},"version":[2,1,0]}') == "xgboost"
    assert format_of(b"\x08\x0a\x12\x07pytorch\x3a\x02\x12\x00") == "onnx"
    assert format_of(b"\x08\x01\x12\x02\x0a\x00") == "savedmodel"


def test_legacy_torch():
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, 2)
    assert format_of(magic + pickle.dumps(1001, 2) + pickle.dumps({}, 2)) == "torch"


def test_joblib():
    assert (
        format_of(
            b"\x80\x04\x95\x20\0\0\0\0\0\0\0\x8c\x13joblib.numpy_pickle\x94\x8c\x11NumpyArrayWrapper\x94\x93"
        )
        == "joblib"
    )


@given(st.binary(min_size=200, max_size=2000))
def test_never_raises(data):
    assert isinstance(format_of(data), str)


def test_random_bytes_are_unknown():
    random = np.random.default_rng(3)
    found = [format_of(random.bytes(1000)) for _ in range(2000)]
    assert found.count("unknown") >= 1995
