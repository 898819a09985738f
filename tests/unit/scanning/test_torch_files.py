"""What torch itself writes passes, in each of its forms; what it writes of modules does not."""

from __future__ import annotations

import argparse
import io
import pickle
import warnings
from collections import OrderedDict, defaultdict
from typing import Any

import numpy as np
import pytest

from provenance.scanning.verb import scan_bytes

torch = pytest.importorskip("torch")

FORMS = [{}, {"pickle_protocol": 4}, {"_use_new_zipfile_serialization": False}]


def saved(value: Any, **form: Any) -> bytes:
    file = io.BytesIO()
    torch.save(value, file, **form)
    return file.getvalue()


def checkpoint() -> dict[str, Any]:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.Linear(8, 2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    model(torch.randn(3, 4)).sum().backward()
    optimizer.step()
    return {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "random": [torch.get_rng_state(), np.random.RandomState(0).get_state()],
        "best": float("inf"),
        "loss": np.float64(3.2),
        "args": argparse.Namespace(lr=1e-3),
    }


def tensors() -> list[Any]:
    x = torch.arange(10)
    dtypes = (
        torch.float16,
        torch.bfloat16,
        torch.int8,
        torch.bool,
        torch.complex64,
        torch.float8_e4m3fn,
        torch.uint64,
    )
    return [
        *(torch.zeros(2, dtype=dtype) for dtype in dtypes),
        *(x, x[2:5], x[::2], x.view(2, 5).t(), torch.zeros(()), torch.zeros(0, 3), torch.zeros(1).expand(5)),
        *(
            torch.eye(3).to_sparse(),
            torch.zeros(3, device="meta"),
            torch.zeros(2, dtype=torch.complex64).conj(),
        ),
        *(torch.nn.Parameter(torch.zeros(2)), torch.Size([1, 2]), torch.device("cuda:0"), torch.float32),
    ]


def quantised() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch deprecates what files still hold
        return torch.quantize_per_tensor(torch.arange(4.0), 0.1, 0, torch.qint8)


def nested() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)])


VALUES = {
    "a checkpoint": checkpoint(),
    "tensors": tensors(),
    "quantised": quantised(),
    "arrays": {"a": np.zeros((2, 3)), "b": np.array(["x", "y"]), "c": np.array([1, None], dtype=object)},
    "containers": [
        {1, 2},
        frozenset([1]),
        b"x",
        bytearray(b"x"),
        1j,
        OrderedDict(a=1),
        defaultdict(list, a=[1]),
        range(3),
    ],
    "jagged": torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)], layout=torch.jagged),
    "nested": nested(),
    "storages": [torch.zeros(3).untyped_storage()],
}


@pytest.mark.parametrize("form", FORMS, ids=["zip", "zip, protocol 4", "legacy"])
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_harmless_files_pass(value, form):
    scan = scan_bytes(saved(value, **form), "model.bin")
    assert (scan.files[0].format, scan.decision) == ("torch", "accepted"), scan.findings


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_plain_pickles_of_tensors_pass(value, protocol):
    scan = scan_bytes(pickle.dumps(value, protocol), "model.pkl")
    assert scan.decision == "accepted", scan.findings


def test_a_large_tensor_within_a_plain_pickle():
    """Its bytes are a text longer than those that are kept as names."""
    data = pickle.dumps(torch.randn(50_000), 2)
    assert scan_bytes(data, "model.pkl").decision == "accepted"
    assert scan_bytes(pickle.dumps(torch.randn(50_000), 0), "model.pkl").decision == "accepted"
    forged = data.replace(b"ctorch\nFloatStorage\n", b"cposix\nFloatStorage\n")
    assert (forged != data, scan_bytes(forged, "model.pkl").decision) == (True, "refused")


@pytest.mark.parametrize("form", FORMS, ids=["zip", "zip, protocol 4", "legacy"])
def test_modules_do_not(form):
    scan = scan_bytes(saved(torch.nn.Linear(2, 2), **form), "model.safetensors")
    assert scan.decision == "refused"
    assert "torch.nn.modules.linear.Linear" in scan.findings[0].message


def test_exported_programs_are_named():
    file = io.BytesIO()
    torch.export.save(torch.export.export(torch.nn.Linear(2, 2), (torch.zeros(1, 2),)), file)
    scan = scan_bytes(file.getvalue(), "model.pt2")
    assert (scan.files[0].format, scan.decision) == ("torch-export", "refused")
