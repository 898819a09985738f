"""What torch writes: state dicts, checkpoints, tensors of every kind, in each of its forms."""

from __future__ import annotations

import argparse
import copy
import io
import pickle
import random
import types
import warnings
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any

__all__ = ["torch_files"]

_FORMS: tuple[dict[str, Any], ...] = (
    {},
    {"pickle_protocol": 4},
    {"pickle_protocol": 5},
    {"_use_new_zipfile_serialization": False},
)


def torch_files() -> Iterator[tuple[str, bytes]]:
    """(Name, bytes) of each file."""
    import torch

    warnings.simplefilter("ignore")  # torch deprecates what files still hold
    torch.manual_seed(0)
    values = {**_models(torch), **_checkpoints(torch), **_tensors(torch), **_containers(torch)}
    for name, value in values.items():
        for number, form in enumerate(_FORMS):
            try:
                data = _saved(torch, value, form)
            except (RuntimeError, TypeError, AttributeError, NotImplementedError):
                continue  # the legacy form cannot hold every kind of tensor
            yield f"{name}.{number}{('.pt', '.pth', '.bin', '.ckpt')[number]}", data
    for name, value in values.items():
        for protocol in (0, 2, 4):
            try:
                yield f"{name}.{protocol}.pkl", pickle.dumps(value, protocol)
            except (RuntimeError, TypeError, AttributeError, NotImplementedError, RecursionError):
                continue


def _saved(torch: Any, value: Any, form: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    torch.save(value, file, **form)
    return file.getvalue()


def _models(torch: Any) -> dict[str, Any]:
    nn = torch.nn
    tied = nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 10, bias=False))
    tied[1].weight = tied[0].weight
    models = {
        "linear": nn.Linear(4, 2),
        "convolutional": nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU()),
        "recurrent": nn.LSTM(4, 8, num_layers=2),
        "transformer": nn.TransformerEncoderLayer(8, 2, 16),
        "tied": tied,
        "embedding": nn.EmbeddingBag(10, 4),
        "half": nn.Linear(4, 2).half(),
        "bfloat16": nn.Linear(4, 2).bfloat16(),
        "weight norm": torch.nn.utils.parametrizations.weight_norm(nn.Linear(3, 3)),
        "quantised dynamically": torch.ao.quantization.quantize_dynamic(
            nn.Sequential(nn.Linear(4, 4)), {nn.Linear}
        ),
    }
    found = {f"state-{name}": model.state_dict() for name, model in models.items()}
    found["parameters"] = list(models["linear"].parameters())
    found["state-plain"] = dict(models["linear"].state_dict())
    return found


def _optimisers(torch: Any, parameters: list[Any]) -> dict[str, Any]:
    names = [
        "SGD",
        "Adam",
        "AdamW",
        "Adamax",
        "NAdam",
        "RAdam",
        "Adagrad",
        "Adadelta",
        "RMSprop",
        "Rprop",
        "ASGD",
        "Adafactor",
        "LBFGS",
    ]
    return {
        name: getattr(torch.optim, name)(parameters, lr=0.01) for name in names if hasattr(torch.optim, name)
    }


def _schedulers(torch: Any, optimiser: Any) -> dict[str, Any]:
    made: dict[str, Callable[[], Any]] = {
        "step": lambda: torch.optim.lr_scheduler.StepLR(optimiser, 10),
        "milestones": lambda: torch.optim.lr_scheduler.MultiStepLR(optimiser, [3, 7]),
        "cosine": lambda: torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 10),
        "restarts": lambda: torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimiser, 10),
        "exponential": lambda: torch.optim.lr_scheduler.ExponentialLR(optimiser, 0.9),
        "linear": lambda: torch.optim.lr_scheduler.LinearLR(optimiser),
        "plateau": lambda: torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser),
        "one cycle": lambda: torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.1, total_steps=10),
        "polynomial": lambda: torch.optim.lr_scheduler.PolynomialLR(optimiser),
        "lambda": lambda: torch.optim.lr_scheduler.LambdaLR(optimiser, lambda epoch: 0.9**epoch),
        "cyclic": lambda: torch.optim.lr_scheduler.CyclicLR(optimiser, 0.01, 0.1, cycle_momentum=False),
    }
    return {name: make() for name, make in made.items()}


def _checkpoints(torch: Any) -> dict[str, Any]:
    import numpy as np

    found: dict[str, Any] = {}
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.Linear(8, 2))
    for name, optimiser in _optimisers(torch, list(model.parameters())).items():

        def closure(optimiser: Any = optimiser) -> Any:
            optimiser.zero_grad()
            loss = model(torch.randn(3, 4)).sum()
            loss.backward()
            return loss

        optimiser.step(closure)
        found[f"checkpoint-{name}"] = copy.deepcopy(
            {"model": model.state_dict(), "optimizer": optimiser.state_dict(), "epoch": 3, "loss": 0.5}
        )
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    for name, scheduler in _schedulers(torch, optimiser).items():
        found[f"scheduler-{name}"] = {"scheduler": scheduler.state_dict(), "model": model.state_dict()}
    found["checkpoint-lightning"] = {
        "epoch": 1,
        "global_step": 10,
        "pytorch-lightning_version": "2.6.0",
        "state_dict": model.state_dict(),
        "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"current": {"completed": 1}}}},
        "callbacks": {"ModelCheckpoint{'monitor': None}": {"best_model_score": torch.tensor(0.1)}},
        "optimizer_states": [optimiser.state_dict()],
        "lr_schedulers": [],
        "hparams_name": "kwargs",
        "hyper_parameters": {"lr": 0.1, "layers": [1, 2]},
    }
    found["checkpoint-random"] = {
        "torch": torch.get_rng_state(),
        "numpy": np.random.RandomState(0).get_state(),
        "python": random.Random(0).getstate(),
        "loss": np.float64(0.1),
        "metrics": defaultdict(list, a=[1.0]),
        "args": argparse.Namespace(lr=0.1, path=PurePosixPath("/data")),
    }
    found["checkpoint-average"] = torch.optim.swa_utils.AveragedModel(model).state_dict()
    found["checkpoint-scaler"] = {"scaler": torch.amp.GradScaler("cpu").state_dict()}
    return found


def _tensors(torch: Any) -> dict[str, Any]:
    base = torch.arange(24.0)
    dtypes = "float16 bfloat16 float64 int8 uint8 int16 int32 int64 bool complex64 complex128 float8_e4m3fn "
    dtypes += "float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz float8_e8m0fnu uint16 uint32 uint64"
    matrix = torch.eye(4)
    found: dict[str, Any] = {
        "dtypes": {name: torch.zeros(4, dtype=getattr(torch, name)) for name in dtypes.split()},
        "views": [base, base[2:5], base[::2], base.view(4, 6).t(), base.view(2, 3, 4).permute(2, 0, 1)],
        "shapes": [torch.zeros(()), torch.zeros(0, 3), torch.zeros(1).expand(5), torch.zeros(1, 1, 1)],
        "channels-last": torch.zeros(1, 3, 4, 4).to(memory_format=torch.channels_last),
        "sparse": [matrix.to_sparse(), torch.sparse_coo_tensor(size=(2, 3))],
        "sparse-rows": [matrix.to_sparse_csr(), matrix.to_sparse_csc()],
        "sparse-blocks": [matrix.to_sparse_bsr((2, 2)), matrix.to_sparse_bsc((2, 2))],
        "nested": torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)]),
        "jagged": torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)], layout=torch.jagged),
        "meta": torch.zeros(3, device="meta"),
        "conjugate": [torch.zeros(2, dtype=torch.complex64).conj(), torch.zeros(2).neg()],
        "parameters-and-buffers": [torch.nn.Parameter(base), torch.nn.Buffer(base), base.requires_grad_()],
        "storages": [torch.zeros(3).untyped_storage(), torch.zeros(3).storage()],
        "plain-types": [torch.Size([1, 2]), torch.device("cuda:0"), torch.float32, torch.strided],
        "generator": torch.Generator().get_state(),
    }
    attributed = torch.nn.Parameter(torch.zeros(2))
    attributed.tag = "kept"
    found["attributes"] = attributed
    found["quantised"] = [
        torch.quantize_per_tensor(torch.arange(4.0), 0.1, 0, torch.qint8),
        torch.quantize_per_tensor(torch.arange(4.0), 0.1, 0, torch.quint8),
        torch.quantize_per_tensor(torch.arange(4.0), 0.1, 0, torch.qint32),
        torch.quantize_per_channel(torch.eye(2), torch.ones(2), torch.zeros(2), 0, torch.qint8),
    ]
    return found


def _containers(torch: Any) -> dict[str, Any]:
    import numpy as np

    one = torch.zeros(2)
    return {
        "containers": {
            "shared": [one, one, one[:1]],
            "ordered": OrderedDict(a=one),
            "default": defaultdict(list, a=[1]),
            "sets": [{1, 2}, frozenset(("a",))],
            "bytes": [b"x", bytearray(b"x")],
            "numbers": [1, -1, 2**70, 1.5, 1j, True, None, float("nan")],
            "tuples": ((), (1,), (1, (2, 3))),
            "queue": deque([1, 2], maxlen=5),
            "range": range(3),
        },
        "arrays": {"f": np.zeros((2, 3)), "s": np.array(["a", "b"]), "o": np.array([1, None], dtype=object)},
        "scalars": [np.float32(1), np.int64(2), np.bool_(True), np.str_("x")],
        "recursive": _recursive(),
        "space": types.SimpleNamespace(lr=0.1),
    }


def _recursive() -> dict[str, Any]:
    value: dict[str, Any] = {"a": [1]}
    value["self"] = value
    return value
