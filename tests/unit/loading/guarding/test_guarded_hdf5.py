"""HDF5 and Keras inside the guard: read from the sealed copy, written as ever, and nothing that leads elsewhere."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import provenance

h5py = pytest.importorskip("h5py", reason="comes with the dev extra")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.arange(5)
    return tmp_path / "a.h5"


def test_a_file_is_read_by_path_and_by_file_object(path: Path) -> None:
    with provenance.guard(policy="harmless") as guard:
        with h5py.File(path) as file:
            assert file["x"][:].tolist() == [0, 1, 2, 3, 4]
            assert isinstance(file, h5py.File)
        with h5py.File(str(path), "r", driver="sec2") as file:
            assert list(file) == ["x"]
        with path.open("rb") as stream, h5py.File(stream) as file:
            assert list(file) == ["x"]
        with h5py.File(io.BytesIO(path.read_bytes())) as file:
            assert list(file) == ["x"]
    assert guard.decision == "accepted"
    assert [load.sealed for load in guard.report().loads] == [True, True, True]


def test_files_are_written_as_ever(path: Path, tmp_path: Path) -> None:
    with provenance.guard(policy="harmless") as guard:
        with h5py.File(tmp_path / "new.h5", "w") as file:
            file["y"] = 1
        with h5py.File(path, "a") as file:
            file["y"] = 2
        with h5py.File(io.BytesIO(), "w") as file:
            file["y"] = 3
    with h5py.File(path) as file:
        assert file["y"][()] == 2
    (changed,) = guard.report().loads
    assert (changed.sealed, changed.decision) == (False, "accepted")


def test_a_link_to_another_file_is_refused(path: Path, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["elsewhere"] = h5py.ExternalLink(str(path), "/x")
    with provenance.guard(policy="harmless"), pytest.raises(provenance.Refused):
        h5py.File(tmp_path / "b.h5")


def test_a_model_of_keras(tmp_path: Path) -> None:
    """In a process of its own: Keras imports its backend."""
    if find_spec("keras") is None:
        pytest.skip("keras is not installed: it comes with the dev extra")
    code = """
import keras, provenance
with provenance.guard(policy="harmless") as guard:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.save("model.keras"); model.save_weights("model.weights.h5")
    assert keras.models.load_model("model.keras").count_params() == 8
    model.load_weights("model.weights.h5")
    keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x)]).save("lambda.keras")
    try:
        keras.models.load_model("lambda.keras", safe_mode=False)
    except provenance.Refused as error:
        print(error.code)
print(guard.decision, [load.loader for load in guard.report().loads])
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "KERAS_BACKEND": "torch"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split("\n")[:2] == [
        "FMT012",
        "refused ['keras.load_model', 'keras.load_weights', 'keras.load_model']",
    ], done.stderr
