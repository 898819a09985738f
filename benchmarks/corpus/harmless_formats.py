"""Formats of data and configuration: safetensors, GGUF, ONNX, Keras, HDF5, boosters, JSON, YAML, text."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["format_files"]

_TEMPLATES = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message.content }}{% endfor %}",
    (
        "{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}"
        "{%- set ns = namespace(is_first=true, system='') -%}{%- for m in messages -%}{%- if m.role == 'system' -%}"
        "{%- set ns.system = m.content | trim -%}{%- endif -%}{%- endfor -%}{{ bos_token }}{{ ns.system }}"
    ),
    "{{ raise_exception('no') if messages[0]['role'] != 'user' else '' }}{{ messages | tojson }}",
    (
        "{% macro show(x) %}{{ x|upper }}{% endmacro %}{% for m in messages %}{{ show(m['content']) }}"
        "{{ loop.index0 }}{% if not loop.last %}\n{% endif %}{% endfor %}{{ strftime_now('%d %b %Y') }}"
    ),
)


def format_files() -> Iterator[tuple[str, bytes]]:
    """(Name, bytes) of each file."""
    yield from _safetensors()
    yield from _gguf()
    yield from _onnx()
    yield from _configurations()
    yield from _boosters()
    with tempfile.TemporaryDirectory() as directory:
        yield from _keras(Path(directory))
        yield from _hdf5(Path(directory))


def _safetensors() -> Iterator[tuple[str, bytes]]:
    import torch
    from safetensors.torch import save

    for name in [
        "float32",
        "float16",
        "bfloat16",
        "float64",
        "int8",
        "uint8",
        "int64",
        "bool",
        "float8_e4m3fn",
    ]:
        tensors = {f"layer.{index}.w": torch.zeros(3, 4).to(getattr(torch, name)) for index in range(3)}
        yield f"{name}.safetensors", save(tensors)
        yield f"{name}-metadata.safetensors", save(tensors, metadata={"format": "pt", "note": "é\n"})
    yield "empty.safetensors", save({})
    yield "scalars.safetensors", save({"a": torch.tensor(1.0), "b": torch.zeros(0, 3)})


def _gguf() -> Iterator[tuple[str, bytes]]:
    import gguf
    import numpy as np

    for index, template in enumerate((None, *_TEMPLATES)):
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "m.gguf"
            writer = gguf.GGUFWriter(str(path), "llama")
            writer.add_block_count(2)
            writer.add_context_length(128)
            writer.add_name("a model")
            writer.add_tokenizer_model("gpt2")
            writer.add_token_list(["a", "b", "<s>"])
            writer.add_token_scores([0.0, 1.0, 2.0])
            if template:
                writer.add_chat_template(template)
            writer.add_custom_alignment(64 if index % 2 else 32)
            for number, kind in enumerate((np.float32, np.float16, np.int8, np.int32)):
                writer.add_tensor(f"blk.{number}.weight", np.zeros((4, 32), kind))
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_tensors_to_file()
            writer.close()
            yield f"{index}.gguf", path.read_bytes()


def _onnx() -> Iterator[tuple[str, bytes]]:
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    def model(nodes: list[Any], tensors: list[Any], opset: int = 17, domain: str = "") -> bytes:
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4])
        y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 4])
        graph = helper.make_graph(nodes, "graph", [x], [y], initializer=tensors)
        opsets = [helper.make_opsetid("", opset), *([helper.make_opsetid(domain, 1)] if domain else [])]
        made = helper.make_model(
            graph, opset_imports=opsets, producer_name="exporter", producer_version="2.1"
        )
        helper.set_model_props(made, {"note": "text"})
        return bytes(made.SerializeToString())

    weight = numpy_helper.from_array(np.zeros((4, 4), np.float32), "w")
    for operator in ("Relu", "Sigmoid", "Softmax", "Identity", "Tanh", "Exp", "Gelu"):
        yield f"{operator}.onnx", model([helper.make_node(operator, ["x"], ["y"])], [], 20)
    for opset in (9, 13, 17, 21):
        yield f"matmul-{opset}.onnx", model([helper.make_node("MatMul", ["x", "w"], ["y"])], [weight], opset)
    operator = helper.make_node("Scaler", ["x"], ["y"], domain="ai.onnx.ml", scale=[1.0], offset=[0.0])
    yield "scaler.onnx", model([operator], [], 17, "ai.onnx.ml")
    fused = helper.make_node("FusedMatMul", ["x", "w"], ["y"], domain="com.microsoft")
    yield "fused.onnx", model([fused], [weight], 17, "com.microsoft")
    outside = TensorProto(name="w", data_type=1, dims=[4, 4], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", "model.onnx.data"), ("offset", "0"), ("length", "64")):
        entry = outside.external_data.add()
        entry.key, entry.value = key, value
    yield "outside.onnx", model([helper.make_node("MatMul", ["x", "w"], ["y"])], [outside])


def _configurations() -> Iterator[tuple[str, bytes]]:
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": 4096,
        "rope_scaling": {"type": "linear", "factor": 2.0},
        "torch_dtype": "bfloat16",
        "trust_remote_code": False,
        "_name_or_path": "someone/model",
    }
    yield "config.json", json.dumps(config, indent=2).encode()
    for index, template in enumerate(_TEMPLATES):
        value = {"tokenizer_class": "LlamaTokenizer", "chat_template": template, "bos_token": "<s>"}
        yield f"{index}/tokenizer_config.json", json.dumps(value).encode()
        yield f"{index}/chat_template.jinja", template.encode()
    merges = [f"{a} {b}" for a in "abcdefgh" for b in "abcdefgh"]
    vocabulary = {word.replace(" ", ""): index for index, word in enumerate(merges)}
    tokenizer = {"version": "1.0", "model": {"type": "BPE", "vocab": vocabulary, "merges": merges}}
    yield "tokenizer.json", json.dumps(tokenizer).encode()
    yield "vocab.txt", "\n".join(vocabulary).encode()
    yield "merges.txt", "\n".join(["#version: 0.2", *merges]).encode()
    shards = {"metadata": {"total_size": 1}, "weight_map": {"a": "model-00001-of-00002.safetensors"}}
    yield "model.safetensors.index.json", json.dumps(shards).encode()
    yield "generation_config.json", b'{"temperature": 0.7, "top_p": 0.9, "eos_token_id": [1, 2]}'
    yield "special_tokens_map.json", b'{"bos_token": {"content": "<s>", "lstrip": false}}'
    yield "README.md", b"---\nlicense: mit\ntags:\n- text\n---\n# A model\n\nUse `import torch`.\n"
    yield "config.yaml", b"model:\n  _target_: torch.nn.Linear\n  in_features: 4\ntrain:\n  lr: 0.1\n"
    yield "data.csv", b"id,text,label\n" + b"1,a text,0\n" * 500
    yield "data.jsonl", b'{"text": "a text", "label": 0}\n' * 500
    yield "words.txt", "\n".join(f"cat{index}\ndog\ncos\nintl" for index in range(300)).encode()
    yield "LICENSE", b"Permission is hereby granted, free of charge, to any person\n" * 20
    yield ".gitattributes", b"*.bin filter=lfs diff=lfs merge=lfs -text\n"
    yield "empty.txt", b""


def _boosters() -> Iterator[tuple[str, bytes]]:
    import lightgbm
    import numpy as np
    import xgboost

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 4)), rng.integers(0, 2, 60)
    booster = xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix(x, y), 3)
    for form in ("json", "ubj"):
        yield f"xgboost.{form}", bytes(booster.save_raw(form))
    text = lightgbm.train({"verbose": -1}, lightgbm.Dataset(x, y), 3).model_to_string()
    yield "lightgbm.txt", text.encode()


def _keras(directory: Path) -> Iterator[tuple[str, bytes]]:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras

    layers = keras.layers
    models = {
        "dense": keras.Sequential([layers.Input((4,)), layers.Dense(8, "relu"), layers.Dense(2)]),
        "images": keras.Sequential(
            [layers.Input((8, 8, 3)), layers.Conv2D(4, 3), layers.BatchNormalization(), layers.Flatten()]
        ),
        "recurrent": keras.Sequential([layers.Input((5, 3)), layers.LSTM(4), layers.Dropout(0.1)]),
        "texts": keras.Sequential(
            [layers.Input((5,)), layers.Embedding(10, 4), layers.GlobalAveragePooling1D()]
        ),
    }
    for name, model in models.items():
        model.compile("adam", "mse", metrics=["mae"])
        for suffix in (".keras", ".h5", ".weights.h5"):
            path = directory / f"{name}{suffix}"
            (model.save_weights if suffix == ".weights.h5" else model.save)(path)
            yield path.name, path.read_bytes()


def _hdf5(directory: Path) -> Iterator[tuple[str, bytes]]:
    import h5py
    import numpy as np

    path = directory / "plain.h5"
    with h5py.File(os.fspath(path), "w") as file:
        file["group/x"] = np.zeros((10, 10))
        file.create_dataset("packed", data=np.zeros((100, 10)), compression="gzip", chunks=(10, 10))
        file.create_dataset("texts", data=["a", "b"], dtype=h5py.string_dtype())
        file.attrs["note"] = "text"
    yield path.name, path.read_bytes()
