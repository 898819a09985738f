"""Files that were changed at random: conversion always comes to a verdict, and what it writes can be read."""

from __future__ import annotations

import argparse
import io
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open

from provenance.loading.convert import convert

torch = pytest.importorskip("torch")

CODES = [
    code
    for name, code in vars(pickle).items()
    if isinstance(code, bytes) and len(code) == 1 and name.isupper()
]
VALUES: list[Any] = [
    {
        "a": torch.randn(2, 3).t(),
        "b": torch.nn.Parameter(torch.ones(2)),
        "c": torch.ones(2, dtype=torch.uint16),
    },
    OrderedDict(w=torch.ones(3, dtype=torch.bfloat16), args=argparse.Namespace(a=[1.5, None, True])),
    [torch.zeros(()), (1, {"x": torch.ones(1)})],
]
ARRAYS = {
    "a": np.arange(6.0).reshape(2, 3).T,
    "s": np.float32(1),
    "l": [1, 2.5, "é", b"xy"],
    2: bytearray(b"abc"),
}


def pickled(value: Any) -> tuple[bytes, dict[str, bytes]]:
    """The pickle of a file of torch's, and its records."""
    file = io.BytesIO()
    torch.save(value, file)
    with zipfile.ZipFile(file) as archive:
        names = {
            name.rpartition("/")[2]: archive.read(name) for name in archive.namelist() if "/data/" in name
        }
        return archive.read(next(name for name in archive.namelist() if name.endswith("data.pkl"))), names


SEEDS = [
    *(pickled(value) for value in VALUES),
    *((pickle.dumps(ARRAYS, protocol), None) for protocol in range(6)),
]


def archive(body: bytes, records: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("m/data.pkl", body)
        for key, data in records.items():
            file.writestr(f"m/data/{key}", data)
    return out.getvalue()


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    body, records = draw(st.sampled_from(SEEDS))
    made = bytearray(body)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(made) - 1))
        new = draw(st.one_of(st.sampled_from(CODES), st.binary(max_size=4)))
        made[place : place + draw(st.integers(0, 3))] = new
    return bytes(made) if records is None else archive(bytes(made), records)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changed(), st.booleans())
def test_no_change_breaks_the_converter(tmp_path: Path, data: bytes, partial: bool) -> None:
    (tmp_path / "source").write_bytes(data)
    result = convert(tmp_path / "source", tmp_path / "result.safetensors", partial=partial)
    assert result.decision in ("accepted", "refused", "undecided")
    assert (result.path is not None) == (result.decision == "accepted")
    if result.path is not None:
        with safe_open(result.path, "np") as file:
            assert set(file.keys()) == {one.name for one in result.tensors}
