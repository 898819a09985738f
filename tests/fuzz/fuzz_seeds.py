"""Small valid files of every format, from which the fuzzers start; made when they are asked for."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import struct
import tarfile
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable

import h5py
import numpy as np

__all__ = ["SEEDS"]


def _zip(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in members.items():
            out.writestr(name.replace("_dot_", "."), data)
    return file.getvalue()


def _tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as out:
        for name in ("a.txt", "b" * 120, "model_config.yaml"):
            member = tarfile.TarInfo(name)
            member.size = 4
            out.addfile(member, io.BytesIO(b"a: 1"))
    return file.getvalue()


def _npy(value: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, value)
    return file.getvalue()


def _hdf5(version: str) -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w", libver=version) as root:
        root.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"layers": []}})
        root["a/b"] = np.arange(4)
        root.create_dataset("c", data=np.zeros((20, 4)), chunks=(5, 4), compression="gzip")
        root["s"] = h5py.SoftLink("/a")
        for index in range(10):
            root.attrs[f"x{index}"] = "y"
            root.create_group(f"g{index}")
    return file.getvalue()


def _safetensors() -> bytes:
    header = json.dumps(
        {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "__metadata__": {"x": "y"}}
    ).encode()
    return struct.pack("<Q", len(header)) + header + bytes(8)


def _gguf() -> bytes:
    def text(value: bytes) -> bytes:
        return struct.pack("<Q", len(value)) + value

    keys = text(b"general.name") + struct.pack("<I", 8) + text(b"x")
    keys += (
        text(b"tokenizer.chat_template")
        + struct.pack("<I", 8)
        + text(b"{% for m in messages %}{{ m.content }}{% endfor %}")
    )
    keys += text(b"a") + struct.pack("<IIQ", 9, 4, 2) + bytes(8)
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, 3) + keys + text(b"w") + struct.pack("<IQIQ", 1, 8, 0, 0)
    return head + bytes(-len(head) % 32) + bytes(32)


def _field(number: int, value: bytes) -> bytes:
    """A field of a protocol buffer with a number below 16 and fewer than 128 bytes."""
    return bytes([number << 3 | 2, len(value)]) + value


def _onnx() -> bytes:
    external = _field(13, _field(1, b"location") + _field(2, b"w.bin"))
    graph = _field(1, _field(4, b"Gemm")) + _field(2, b"g") + _field(5, _field(8, b"w") + external)
    return b"\x08\x08" + _field(7, graph)


def _savedmodel() -> bytes:
    return b"\x08\x01" + _field(2, _field(2, _field(1, _field(1, b"n") + _field(2, b"MatMul"))))


XGBOOST = {
    "learner": {
        "attributes": {},
        "gradient_booster": {
            "name": "gbtree",
            "model": {"trees": [{"tree_param": {"num_nodes": "1"}, "left_children": [-1], "right_children": [-1], "parents": [2147483647], "split_indices": [0], "split_conditions": [0.5]}]},
        },
        "objective": {"name": "reg:squarederror"},
    },
    "version": [3, 0, 0],
}  # fmt: skip
UBJSON = b"{L\0\0\0\0\0\0\0\7learner{U\1a[$l#U\2\0\0\0\1\0\0\0\2U\1b[#U\1SU\1xU\1cD\0\0\0\0\0\0\0\0}}"
LIGHTGBM = b"tree\nversion=v4\nmax_feature_idx=1\n\nTree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nthreshold=0.5\ndecision_type=2\nleft_child=-1\nright_child=-2\nleaf_value=1 2\n\nend of trees\n"
CONFIG = json.dumps(
    {
        "a": [{"auto_map": {}, "_target_": "torch.nn.Linear", "chat_template": "{{ x['y'] }}"}],
        "class_name": "Dense",
        "config": {},
        "module": "keras.layers",
    }
).encode()
YAML = b"model:\n  _target_: torch.nn.Linear\n  x: !!str y\ntrust_remote_code: false\n"
TEMPLATE = b"{% set ns = namespace(a=1) %}{% for m in messages %}{{ m['role'] ~ m.content | trim | tojson }}{% endfor %}{% macro f(a) %}{{ a }}{% endmacro %}"
STATEMENT = json.dumps(
    {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "a", "digest": {"sha256": "00" * 32}}],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                "ignore_paths": [],
            },
            "resources": [{"name": "a", "digest": "00" * 32, "algorithm": "sha256"}],
        },
    }
).encode()
BUNDLE = json.dumps(
    {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": "x"}, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": "e30=",
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [{"sig": "AAAA", "keyid": ""}],
        },
    }
).encode()


def _pickles() -> list[bytes]:
    values = [
        OrderedDict(a=[1, 2.5, None, "x", b"y", (1,), {3}]),
        np.arange(3),
        {"a": {"b": 1 << 70}},
        [bytearray(b"x")],
    ]
    return [pickle.dumps(value, protocol=protocol) for value in values for protocol in (0, 2, 4, 5)]


SEEDS: dict[str, Callable[[], list[bytes]]] = {
    "pickle": _pickles,
    "torch": lambda: [_zip(**{"a/data.pkl": pickle.dumps({}, 2), "a/version": b"3"})],
    "numpy": lambda: [
        _npy(np.arange(4)),
        _npy(np.zeros(2, dtype=[("a", "i4"), ("b", "f8", (2,))])),
        _zip(a_dot_npy=_npy(np.arange(2))),
    ],
    "zip": lambda: [_zip(a_dot_txt=b"text", b_dot_json=b"{}", c=pickle.dumps([1]))],
    "tar": lambda: [_tar()],
    "packed": lambda: [
        pack(b'{"a": 1}' * 20) for pack in (gzip.compress, bz2.compress, lzma.compress, zlib.compress)
    ],
    "safetensors": lambda: [_safetensors()],
    "keras": lambda: [
        _zip(config_dot_json=CONFIG, metadata_dot_json=b"{}", model_dot_weights_dot_h5=_hdf5("earliest"))
    ],
    "hdf5": lambda: [_hdf5("earliest"), _hdf5("latest")],
    "gguf": lambda: [_gguf()],
    "onnx": lambda: [_onnx()],
    "savedmodel": lambda: [_savedmodel(), b"\0" * 60 + b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"],
    "xgboost": lambda: [json.dumps(XGBOOST).encode(), UBJSON],
    "lightgbm": lambda: [LIGHTGBM],
    "skops": lambda: [
        _zip(
            schema_dot_json=b'{"__class__": "A", "__module__": "b", "__loader__": "ObjectNode", "content": {}}'
        )
    ],
    "json": lambda: [CONFIG, CONFIG + b"\n" + CONFIG],
    "text": lambda: [YAML],
    "template": lambda: [TEMPLATE],
    "detect": lambda: [
        _safetensors(),
        _gguf(),
        _hdf5("earliest"),
        _tar(),
        CONFIG,
        b"text",
        _npy(np.arange(3)),
    ],
    "bundle": lambda: [BUNDLE],
    "statement": lambda: [STATEMENT],
}
