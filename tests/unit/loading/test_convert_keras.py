"""Weights in HDF5 and in Keras's archives: conversion writes what h5py would read."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file

from provenance.loading.convert import Conversion, convert

h5py = pytest.importorskip("h5py")

CODES = ["?", "i1", "u1", "<i2", ">i2", "<u4", ">u4", "<i8", "<f2", ">f2", "<f4", ">f4", "<f8", ">f8"]


def written(write: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w", **options) as made:
        write(made)
    return file.getvalue()


def converted(data: bytes, where: Path, name: str = "m.h5", **options: Any) -> Conversion:
    (where / name).write_bytes(data)
    return convert(where / name, where / "result.safetensors", **options)


@st.composite
def arrays(draw: st.DrawFn) -> np.ndarray:
    dtype = np.dtype(draw(st.sampled_from(CODES)))
    shape = tuple(draw(st.lists(st.integers(0, 4), max_size=3)))
    size = int(np.prod(shape)) * dtype.itemsize
    data = draw(st.binary(min_size=size, max_size=size))
    return np.frombuffer(bytes(byte & 1 for byte in data) if dtype == np.bool_ else data, dtype).reshape(
        shape
    )


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(arrays(), min_size=1, max_size=4), st.sampled_from(["earliest", "latest"]))
def test_datasets_of_every_dtype(tmp_path: Path, values: list[np.ndarray], version: str) -> None:
    def write(file: Any) -> None:
        for index, value in enumerate(values):
            file.create_dataset(f"layers/layer_{index}/vars/{index}", data=value)

    result = converted(written(write, libver=version), tmp_path)
    assert result.path is not None, result.findings
    got = load_file(result.path)
    for index, value in enumerate(values):
        found = got[f"layers.layer_{index}.vars.{index}"]
        little = value.astype(value.dtype.newbyteorder("<"))
        assert (found.dtype, found.shape, found.tobytes()) == (little.dtype, little.shape, little.tobytes())


def test_compact_data_user_blocks_and_many_members(tmp_path: Path) -> None:
    def write(file: Any) -> None:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_layout(h5py.h5d.COMPACT)
        space = h5py.h5s.create_simple((3,))
        made = h5py.h5d.create(file.id, b"compact", h5py.h5t.IEEE_F32LE, space, plist)
        h5py.Dataset(made)[...] = [1, 2, 3]
        group = file.create_group("many", track_order=True)
        for index in range(300):
            group.create_dataset(str(index), data=np.full(2, index, "i4"))

    for options in ({}, {"userblock_size": 1024}, {"libver": "latest"}):
        result = converted(written(write, **options), tmp_path)
        assert result.path is not None, result.findings
        got = load_file(result.path)
        assert got["compact"].tolist() == [1, 2, 3]
        assert [got[f"many.{index}"].tolist() for index in (0, 299)] == [[0, 0], [299, 299]]


def test_what_keras_writes_of_bfloat16(tmp_path: Path) -> None:
    import ml_dtypes

    value = np.array([1.5, -2], ml_dtypes.bfloat16)

    def write(file: Any) -> None:
        file.create_dataset("w", data=value.view("V2")).attrs["dtype"] = "bfloat16"
        file.create_dataset("opaque", data=value.view("V2"))

    result = converted(written(write), tmp_path, partial=True)
    assert [(one.name, one.dtype) for one in result.tensors] == [("w", "BF16")]
    assert [one.name for one in result.left_behind] == ["opaque"]


def archive(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, data in members.items():
            file.writestr(name.replace("__", "."), data)
    return out.getvalue()


CONFIG = json.dumps(
    {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "s", "layers": []},
        "registered_name": None,
    }
).encode()


def test_an_archive_of_keras_keeps_its_configuration_as_text(tmp_path: Path) -> None:
    weights = written(lambda file: file.create_dataset("layers/dense/vars/0", data=np.ones((2, 3), "f4")))
    data = archive(
        metadata__json=b'{"keras_version": "3.0.0"}', config__json=CONFIG, model__weights__h5=weights
    )
    result = converted(data, tmp_path, "m.keras")
    assert result.path is not None, result.findings
    assert load_file(result.path)["layers.dense.vars.0"].tolist() == [[1, 1, 1], [1, 1, 1]]
    with safe_open(result.path, "np") as file:
        values = json.loads(file.metadata()["provenance.values"])
    assert values["config.json"] == CONFIG.decode()


def test_a_model_with_code_gives_its_weights_only_on_request(tmp_path: Path) -> None:
    weights = written(lambda file: file.create_dataset("w", data=np.ones(2)))
    code = json.dumps({"module": "keras.layers", "class_name": "Lambda", "config": {"function": {}}}).encode()
    data = archive(metadata__json=b"{}", config__json=code, model__weights__h5=weights)
    result = converted(data, tmp_path, "m.keras")
    assert (result.decision, "FMT012" in {found.rule for found in result.findings}) == ("refused", True)
    assert converted(data, tmp_path, "m.keras", partial=True).decision == "accepted"


def lost(write: Any, where: Path) -> dict[str, str]:
    return {one.name: one.what for one in converted(written(write), where, partial=True).left_behind}


def test_what_cannot_be_carried_is_said(tmp_path: Path) -> None:
    def write(file: Any) -> None:
        file.create_dataset("good", data=np.ones(1))
        file.create_dataset("packed", data=np.ones(100), compression="gzip")
        file.create_dataset("chunks", data=np.ones(100), chunks=(10,))
        file.create_dataset("text", data="words")
        file.create_dataset("rows", data=np.zeros(2, [("a", "i4"), ("b", "f4")]))
        file.create_dataset("never", shape=(3,), dtype="f4")
        file["soft"] = h5py.SoftLink("/good")
        file.attrs["number"] = 3

    assert set(lost(write, tmp_path)) == {"packed", "chunks", "text", "rows", "never", "soft", "@number"}


def test_a_group_within_itself_is_followed_once(tmp_path: Path) -> None:
    def write(file: Any) -> None:
        file.create_dataset("a/b/w", data=np.ones(1))
        file["a/b/again"] = file["a"]
        file["second"] = file["a/b/w"]

    assert lost(write, tmp_path) == {"a.b.again": "a group within itself"}
    assert set(load_file(tmp_path / "result.safetensors")) == {"a.b.w", "second"}


@pytest.mark.parametrize("partial", [False, True])
def test_links_and_data_outside_of_the_file_are_refused(tmp_path: Path, *, partial: bool) -> None:
    def link(file: Any) -> None:
        file["w"] = h5py.ExternalLink("/etc/passwd", "/w")

    def external(file: Any) -> None:
        file.create_dataset("w", shape=(4,), dtype="u1", external=[(str(tmp_path / "secret"), 0, 4)])

    (tmp_path / "secret").write_bytes(b"1234")
    for write in (link, external):
        result = converted(written(write), tmp_path, partial=partial)
        assert (result.decision, "FMT010" in {found.rule for found in result.findings}) == ("refused", True)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_change_of_a_file_breaks_the_converter(tmp_path: Path, data: st.DataObject) -> None:
    def write(file: Any) -> None:
        file.create_dataset("a/w", data=np.arange(6).reshape(2, 3))
        file.attrs["names"] = ["x", "y"]

    changed = bytearray(written(write))
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    assert converted(bytes(changed), tmp_path).decision in ("accepted", "refused", "undecided")
