"""What conversion writes is what ``torch.load(weights_only=True)`` gives, bit for bit."""

from __future__ import annotations

import argparse
import io
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file

import provenance
from provenance.loading.convert import Conversion, convert

torch = pytest.importorskip("torch")

FORMS: list[dict[str, Any]] = [{}, {"pickle_protocol": 5}, {"_use_new_zipfile_serialization": False}]
DTYPES = [
    *("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "uint16"),
    *("uint32", "uint64", "bool", "complex64", "float8_e5m2", "float8_e4m3fn", "float8_e4m3fnuz"),
    *("float8_e5m2fnuz", "float8_e8m0fnu"),
]


def raw(tensor: Any) -> tuple[str, tuple[int, ...], bytes]:
    """Dtype, shape and bytes of a tensor, whatever its layout."""
    flat = torch.empty(tensor.numel(), dtype=tensor.dtype)
    flat.copy_(tensor.detach().flatten())
    data = flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""
    return str(tensor.dtype), tuple(tensor.shape), data


def flat(value: Any, name: str = "") -> dict[str, Any]:
    if isinstance(value, torch.Tensor):
        return {name: value}
    children = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list | tuple)
        else ()
    )
    found = {}
    for key, child in children:
        found |= flat(child, f"{name}.{key}" if name else str(key))
    return found


def converted(value: Any, where: Path, **form: Any) -> Conversion:
    torch.save(value, where / "source.pt", **form)
    return convert(where / "source.pt", where / "result.safetensors")


def loaded(where: Path, value: Any) -> Any:
    """What torch loads; its restricted unpickler reads protocol 2 only, and its old format none of the new dtypes."""
    restricted = b"\x80\x05" not in (where / "source.pt").read_bytes()[:128]
    try:
        return torch.load(where / "source.pt", weights_only=restricted)
    except AttributeError:
        return value


def agrees(where: Path, result: Conversion, value: Any = None) -> None:
    expected = flat(loaded(where, value))
    assert result.decision == "accepted", result.findings
    assert result.path is not None
    got = load_file(result.path)
    assert {name: raw(tensor) for name, tensor in got.items()} == {
        name: raw(tensor) for name, tensor in expected.items()
    }
    assert provenance.scan(result.path).decision == "accepted"


@st.composite
def views(draw: st.DrawFn) -> Any:
    """A view of a storage: any sizes, strides and offset that stay inside it."""
    dtype = getattr(torch, draw(st.sampled_from(DTYPES)))
    sizes = draw(st.lists(st.integers(0, 5), max_size=4))
    strides = [draw(st.integers(0, 7)) for _ in sizes]
    offset = draw(st.integers(0, 9))
    items = offset + 1 + sum(max(size - 1, 0) * stride for size, stride in zip(sizes, strides, strict=True))
    items += draw(st.integers(0, 3))
    data = draw(st.binary(min_size=items * dtype.itemsize, max_size=items * dtype.itemsize))
    if dtype == torch.bool:
        data = bytes(byte & 1 for byte in data)
    base = torch.frombuffer(bytearray(data), dtype=torch.uint8).view(dtype)
    return base.as_strided(sizes, strides, offset)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(views(), min_size=1, max_size=4), st.sampled_from(FORMS))
def test_every_view_of_every_dtype_is_what_torch_loads(tmp_path: Path, tensors: list[Any], form: Any) -> None:
    value = {"list": tensors[1:], "first": tensors[0]}
    agrees(tmp_path, converted(value, tmp_path, **form), value)


@pytest.mark.parametrize("form", FORMS)
def test_a_state_dict_converts_cleanly(tmp_path: Path, form: Any) -> None:
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.LSTM(4, 3))
    result = converted(model.to(memory_format=torch.channels_last).state_dict(), tmp_path, **form)
    assert result.exit_status == 0
    assert result.findings == () == result.left_behind
    agrees(tmp_path, result)


@pytest.mark.parametrize("form", FORMS)
def test_a_checkpoint_keeps_its_plain_values_in_the_metadata(tmp_path: Path, form: Any) -> None:
    model = torch.nn.Linear(4, 2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    value = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "epoch": 3,
        "best": float("inf"),
        "notes": "ü" * 70_000,
        "nothing": None,
        "resumed": False,
        "device": torch.device("cpu"),
        "size": torch.Size([2, 3]),
        "args": argparse.Namespace(lr=0.5, layers=[1, 2]),
    }
    result = converted(value, tmp_path, **form)
    assert result.decision == "accepted", result.findings
    assert result.path is not None
    with safe_open(result.path, "pt") as file:
        metadata = file.metadata()
        assert set(file.keys()) == {
            *("model.weight", "model.bias"),
            *(f"optimizer.state.{n}.{key}" for n in (0, 1) for key in ("step", "exp_avg", "exp_avg_sq")),
        }
    assert metadata["format"] == "pt"
    values = json.loads(metadata["provenance.values"])
    assert values["epoch"] == 3
    assert values["best"] == "inf"
    assert values["notes"] == "ü" * 70_000
    assert values["nothing"] is None
    assert values["resumed"] is False
    assert values["device"] == "cpu"
    assert values["size"] == [2, 3]
    assert values["args"] == {"lr": 0.5, "layers": [1, 2]}
    group = values["optimizer.param_groups"][0]
    assert (group["lr"], group["betas"], group["params"]) == (1e-3, [0.9, 0.999], [0, 1])
    assert "model._metadata" in values


@pytest.mark.parametrize("form", FORMS)
def test_tied_weights_are_written_for_each_name_and_said(tmp_path: Path, form: Any) -> None:
    shared = torch.nn.Parameter(torch.randn(5, 3))
    result = converted({"embedding": shared, "head": shared, "other": shared.t()}, tmp_path, **form)
    assert [found.rule for found in result.findings] == ["CNV007"]
    assert result.path is not None
    with safe_open(result.path, "pt") as file:
        assert json.loads(file.metadata()["provenance.tied"]) == [["embedding", "head"]]
    agrees(tmp_path, result)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", FORMS)
def test_quantised_tensors_become_their_integers_with_scale_and_zero_point(tmp_path: Path, form: Any) -> None:
    values = torch.randn(3, 4)
    one = torch.quantize_per_tensor(values, 0.1, 2, torch.qint8)
    many = torch.quantize_per_channel(values, torch.rand(4), torch.arange(4), 1, torch.quint8)
    result = converted({"one": one, "many": many}, tmp_path, **form)
    assert result.path is not None, result.findings
    got = load_file(result.path)
    assert torch.equal(got["one"], one.int_repr())
    assert (got["one.scale"].item(), got["one.zero_point"].item()) == (one.q_scale(), one.q_zero_point())
    assert torch.equal(got["many"], many.int_repr())
    assert torch.equal(got["many.scale"], many.q_per_channel_scales())
    assert torch.equal(got["many.zero_point"], many.q_per_channel_zero_points())
    with safe_open(result.path, "pt") as file:
        assert json.loads(file.metadata()["provenance.values"]) == {"many.axis": 1}


def test_a_lone_tensor_and_nested_lists_get_names(tmp_path: Path) -> None:
    result = converted(torch.ones(2), tmp_path)
    assert [one.name for one in result.tensors] == ["tensor"]
    result = converted([torch.ones(2), {"a": (torch.ones(1), [torch.zeros(3)])}], tmp_path)
    assert [one.name for one in result.tensors] == ["0", "1.a.0", "1.a.1.0"]


def big_endian(data: bytes, swap: dict[str, int]) -> bytes:
    """The same archive as a machine of the other byte order would have written it."""
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith("byteorder"):
                content = b"big"
            elif "/data/" in name and (width := swap[name.rpartition("/")[2]]):
                content = np.frombuffer(content, f"u{width}").byteswap().tobytes()
            new.writestr(name, content)
    return out.getvalue()


def test_files_of_the_other_byte_order_are_swapped_as_torch_does(tmp_path: Path) -> None:
    value = {
        "a": torch.randn(3, 4).t(),
        "b": torch.arange(5, dtype=torch.int16),
        "c": torch.randn(3, dtype=torch.complex64),
        "d": torch.tensor([1, 2], dtype=torch.uint8),
        "e": torch.randn(2, dtype=torch.bfloat16),
    }
    torch.save(value, tmp_path / "source.pt")
    swapped = big_endian((tmp_path / "source.pt").read_bytes(), {"0": 4, "1": 2, "2": 4, "3": 0, "4": 2})
    (tmp_path / "source.pt").write_bytes(swapped)
    result = convert(tmp_path / "source.pt", tmp_path / "result.safetensors")
    agrees(tmp_path, result)
    assert result.path is not None
    assert torch.equal(load_file(result.path)["a"], value["a"])


def test_what_has_no_place_is_named_and_refuses_unless_partial(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value = {
            "weight": torch.ones(2),
            "sparse": torch.eye(3).to_sparse(),
            "double": torch.ones(2, dtype=torch.complex128),
            "meta": torch.zeros(3, device="meta"),
            "lazy": torch.ones(2, dtype=torch.complex64).conj(),
            "set": {1, 2},
        }
    result = converted(value, tmp_path)
    assert (result.decision, result.exit_status, result.path) == ("refused", 1, None)
    assert not (tmp_path / "result.safetensors").exists()
    assert {one.name for one in result.left_behind} == {"sparse", "double", "meta", "lazy", "set"}
    assert {found.where for found in result.findings if found.rule == "CNV001"} == {
        one.name for one in result.left_behind
    }
    result = convert(tmp_path / "source.pt", tmp_path / "result.safetensors", partial=True)
    assert result.exit_status == 0
    assert result.path is not None
    assert list(load_file(result.path)) == ["weight"]


class Layer(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(3, 2)
        self.blocks = torch.nn.ModuleList([torch.nn.Conv1d(1, 2, 3), torch.nn.BatchNorm1d(2)])
        self.register_buffer("table", torch.arange(6).view(2, 3).t())
        self.sizes = [1, 2]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x)


@pytest.mark.filterwarnings("ignore")
def test_the_weights_of_a_program_are_its_state_dict_and_the_program_is_left_behind(tmp_path: Path) -> None:
    torch.jit.script(Layer()).save(str(tmp_path / "source.pt"))
    assert convert(tmp_path / "source.pt", tmp_path / "result.safetensors").exit_status == 1
    result = convert(tmp_path / "source.pt", tmp_path / "result.safetensors", partial=True)
    assert result.path is not None, result.findings
    assert ["TorchScript" in one.what for one in result.left_behind] == [True]
    got = load_file(result.path)
    expected = torch.jit.load(tmp_path / "source.pt").state_dict()
    assert {name: raw(got[name]) for name in expected} == {name: raw(one) for name, one in expected.items()}


def test_large_tensors_are_written_in_blocks(tmp_path: Path) -> None:
    base = torch.arange(3_000_000, dtype=torch.float32)
    value = {
        "dense": base,
        "transposed": base.view(1500, 2000).t(),
        "rows": base.view(3, 1_000_000)[:, ::2],
        "thin": base.view(-1, 2)[:, 1],
    }
    agrees(tmp_path, converted(value, tmp_path))
