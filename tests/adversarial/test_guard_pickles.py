"""An attacker has a live pickle loaded inside the guard, through one library or another: nothing happens, and it is said."""

from __future__ import annotations

import importlib
import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import provenance
from tests.adversarial.live_pickles import FAMILIES, as_torch_legacy, as_torch_zip, extension, touch

NO_LIBRARY = "not installed: joblib, pandas and cloudpickle come with the dev extra"


def _library(name: str, function: str, data: Any) -> Any:
    module = pytest.importorskip(name, reason=NO_LIBRARY)
    return getattr(module, function)(data)


def _in_file(
    load: Callable[[Path], Any], wrap: Callable[[bytes], bytes] = bytes
) -> Callable[[bytes, Path], Any]:
    def use(data: bytes, folder: Path) -> Any:
        path = folder / "model.bin"
        path.write_bytes(wrap(data))
        return load(path)

    return use


def _pickle_load(path: Path) -> Any:
    with path.open("rb") as file:
        return pickle.load(file)


LOADERS: dict[str, Callable[[bytes, Path], Any]] = {
    "pickle.loads": lambda data, _: pickle.loads(data),
    "pickle.load": lambda data, _: pickle.load(io.BytesIO(data)),
    "pickle.load of a file": _in_file(_pickle_load),
    "pickle.Unpickler": lambda data, _: pickle.Unpickler(io.BytesIO(data)).load(),
    "pickle._loads": lambda data, _: pickle._loads(data),
    "pickle._Unpickler": lambda data, _: pickle._Unpickler(io.BytesIO(data)).load(),
    "_pickle.loads": lambda data, _: importlib.import_module("_pickle").loads(data),
    "torch zip": _in_file(lambda path: torch.load(path, weights_only=False), as_torch_zip),
    "torch zip, weights_only": _in_file(torch.load, as_torch_zip),
    "torch legacy": _in_file(lambda path: torch.load(path, weights_only=False), as_torch_legacy),
    "torch legacy, weights_only": _in_file(torch.load, as_torch_legacy),
    "torch of memory": lambda data, _: torch.load(io.BytesIO(as_torch_zip(data)), weights_only=False),
    "numpy": _in_file(lambda path: np.load(path, allow_pickle=True)),
    "joblib": _in_file(lambda path: _library("joblib", "load", path)),
    "pandas": _in_file(lambda path: _library("pandas", "read_pickle", path)),
    "cloudpickle": lambda data, _: _library("cloudpickle", "loads", data),
}


@pytest.mark.parametrize("loader", LOADERS)
def test_no_live_pickle_has_an_effect(loader: str, tmp_path: Path) -> None:
    """Every family through every library: the marker is never touched, and each is refused in our own words."""
    marker = tmp_path / "touched"
    went_on = []
    with provenance.guard(policy="harmless") as guard:
        for family, make in FAMILIES.items():
            try:
                LOADERS[loader](make(marker), tmp_path)
                went_on.append(family)
            except (provenance.Refused, provenance.Undecided) as error:
                assert not isinstance(error, pickle.UnpicklingError)
            except (pickle.UnpicklingError, ValueError):
                assert family == "FRAME straddle", "which the unpickler itself may notice"
            assert not marker.exists(), family
    assert not went_on
    assert guard.decision == "refused"


def test_the_pickles_are_live(tmp_path: Path) -> None:
    """Without the guard the marker is touched: the tests above would see it."""
    for family in (
        "GLOBAL",
        "STACK_GLOBAL",
        "INST",
        "OBJ",
        "builtins.exec",
        "result discarded",
    ):
        marker = tmp_path / family.replace(" ", "-")
        pickle.loads(FAMILIES[family](marker))
        assert marker.exists(), family


@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
@pytest.mark.parametrize(
    "loader", ["pickle.loads", "pickle.Unpickler", "pickle._Unpickler", "_pickle.loads", "torch zip"]
)
def test_an_extension_code_stands_for_nothing(loader: str, warm: bool, tmp_path: Path) -> None:
    """A warm cache of extensions gives a function without any event; the guard empties and poisons it."""
    marker = tmp_path / "touched"
    with extension("posix", "system", 77, warm=warm) as opcode:
        command = touch(marker).encode()
        data = b"\x80\x02" + opcode + b"U" + bytes([len(command)]) + command + b"\x85R."
        with provenance.guard(policy="harmless"):
            with pytest.raises(provenance.Refused, match="extension code|PKL007|imports"):
                LOADERS[loader](data, tmp_path)
        assert not marker.exists()
        assert pickle.loads(data) == 0, "after the guard the code means again what it meant"
        assert marker.exists()


def test_under_refuse_no_pickle_passes_at_all(tmp_path: Path) -> None:
    """Where the policy accepts no pickle, even one without any name is refused."""
    with provenance.guard(policy="strict"):
        for load in (pickle.loads, pickle._loads):
            with pytest.raises(provenance.Refused, match="accepts none"):
                load(pickle.dumps({"a": 1}))
