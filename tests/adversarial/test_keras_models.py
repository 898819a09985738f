"""An attacker who saves a Keras model: classes that are imported, functions that are called, files that are read."""

from __future__ import annotations

import io
import json
import zipfile

import h5py
import pytest

from provenance.scanning.formats.keras_config import keras_faults
from provenance.scanning.verb import scan_bytes


def layer(name: str = "Dense", module: str | None = "keras.layers", config: object = None, **more) -> dict:
    return {
        "module": module,
        "class_name": name,
        "config": config if config is not None else {},
        "registered_name": None,
        **more,
    }


def model(*layers: dict, **more) -> dict:
    return layer("Sequential", "keras", {"name": "m", "layers": list(layers)}, **more)


def archive(config: object, *, encoding: str = "utf-8", members: dict[str, bytes] | None = None) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        out.writestr("metadata.json", '{"keras_version": "3.15.1", "date_saved": "2026-11-24@12:00:00"}')
        out.writestr("config.json", json.dumps(config).encode(encoding))
        for name, data in (members or {}).items():
            out.writestr(name, data)
    return file.getvalue()


def rules(config: object, **options) -> tuple[str, set[str]]:
    scan = scan_bytes(archive(config, **options), "m.keras")
    assert scan.files[0].format == "keras"
    return scan.decision, {finding.rule for finding in scan.findings}


def weights(link: bool) -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w") as root:
        root["layers/dense/vars/0"] = h5py.ExternalLink("/etc/passwd", "x") if link else [1.0]
    return file.getvalue()


FUNCTION = {"module": "builtins", "class_name": "function", "config": "relu", "registered_name": "function"}
TENSOR = {
    "class_name": "__keras_tensor__",
    "config": {"shape": [None, 3], "dtype": "float32", "keras_history": ["a", 0, 0]},
}


@pytest.mark.parametrize(
    "config",
    [
        model(layer(), layer("Conv2D", config={"activation": FUNCTION, "kernel_initializer": layer("GlorotUniform", "keras.initializers")})),
        layer("Functional", "keras.src.models.functional", {"layers": [layer("InputLayer"), layer(inbound_nodes=[{"args": [TENSOR], "kwargs": {}}])]}),
        layer("Functional", "keras.src.engine.functional", {"layers": []}),
        model(layer("Dense", "tensorflow.keras.layers"), layer("LSTM", "keras.layers", {"dtype": layer("DTypePolicy", "keras", {"name": "float32"})})),
        layer("Relu", "keras.src.ops.nn", registered_name="Relu"),
        model(compile_config={"optimizer": layer("Adam", "keras.src.backend.torch.optimizers.torch_adam", registered_name="Adam"),
                              "loss": FUNCTION | {"config": "mean_squared_error"}, "metrics": ["accuracy", layer("F1Score", "keras.metrics")]}),
        model(layer("TFOpLambda", config={"function": "math.multiply"}), layer("StringLookup", config={"vocabulary": ["a", "b"]})),
        model(layer("Bidirectional", config={"layer": layer("LSTM"), "backward_layer": layer("LSTM")})),
    ],
)  # fmt: skip
def test_ordinary_models_pass(config):
    assert rules(config, members={"model.weights.h5": weights(link=False)}) == ("accepted", set())


@pytest.mark.parametrize(
    "evil",
    [
        layer("Lambda", config={"function": {"class_name": "__lambda__", "config": {"value": "4wEA"}}}),
        layer("Lambda", "keras.src.layers.core.lambda_layer"),
        {"class_name": "__lambda__", "config": {"value": "4wEA"}},
        layer("TorchModuleWrapper"),
        layer("TFSMLayer", config={"filepath": "/tmp/x"}),
        layer("JaxLayer"),
        layer("system", "os"),
        layer("Popen", "subprocess"),
        layer("Model", "my_package.models"),
        layer("Dense", "keras.layers.evil-package"),
        layer("Dense", "kerasevil.layers"),
        layer("Dense", "keras.utils"),
        layer("get_file", "keras.utils"),
        layer("load_model", "keras.saving"),
        layer("load_model", "keras.models"),
        layer("enable_unsafe_deserialization", "keras.config"),
        layer("Sequential", "keras.src.utils.python_utils"),
        layer("func_load", "keras.src.utils.python_utils"),
        layer("Dense", ["keras.layers"]),
        layer("Map", "keras.src.ops.core"),
        layer(registered_name="my_package>Dense"),
        layer("TFOpLambda", config={"function": "io.write_file"}),
        layer("TFOpLambda", config={"function": "raw_ops.WriteFile"}),
        layer("TFOpLambda", config={"function": "py_function"}),
        layer("TFOpLambda", config={"function": "numpy_function"}),
        FUNCTION | {"config": "eval"},
        FUNCTION | {"config": "get_file", "module": "keras.utils"},
        FUNCTION | {"config": "relu", "module": "os"},
        FUNCTION | {"config": "my_loss", "registered_name": "my_package>my_loss"},
        {
            "class_name": "__typespec__",
            "spec_name": "system",
            "module": "os",
            "config": [],
            "registered_name": None,
        },
    ],
)
def test_code_wherever_it_stands(evil):
    assert rules(evil)[0] == "refused"
    for config in (
        model(layer(), evil),
        model(layer("TimeDistributed", config={"layer": evil})),
        model(layer(build_config={"input_shape": [1], "x": [{"y": evil}]})),
        model(compile_config={"optimizer": evil}),
        model(layer(config={"activation": evil})),
    ):
        decision, found = rules(config)
        assert decision == "refused"
        assert "FMT012" in found
        assert rules(config, encoding="utf-16")[0] == "refused"
        assert rules(config, encoding="utf-32-le")[0] == "refused"
        assert rules({**config, "x": float("inf")})[0] == "refused"


def test_a_vocabulary_in_a_file():
    for name in ("StringLookup", "TextVectorization", "IntegerLookup"):
        assert rules(model(layer(name, config={"vocabulary": "/etc/passwd"}))) == ("refused", {"FMT010"})


def test_weights_that_lead_elsewhere():
    assert rules(model(), members={"model.weights.h5": weights(link=True)}) == ("refused", {"FMT010"})


def test_classes_that_nobody_knows_are_undecided():
    assert rules(layer("MyLayer", None)) == ("undecided", {"FMT016"})
    assert rules(layer("TokenEmbedding", "keras_hub.layers")) == ("undecided", {"FMT016"})
    scan = scan_bytes(archive({})[:-30] + b"x", "m.keras")
    assert scan.decision != "accepted"


def test_a_configuration_that_is_none():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        out.writestr("metadata.json", "{}")
        out.writestr("config.json", "no json")
    assert scan_bytes(file.getvalue(), "m.keras").decision == "undecided"


def test_objects_that_are_not_keras():
    for value in (
        {"class_name": "x"},
        {"class_name": 3, "config": {}},
        {"config": {}},
        {"class_name": "MyAgent", "config": {}},
    ):
        assert list(keras_faults(value)) == []
