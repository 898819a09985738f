"""Malicious files that are no pickles: formats that lead to code, to other files or out of their bounds."""

from __future__ import annotations

import io
import json
import os
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.corpus.containers import zipped
from benchmarks.corpus.opcodes import MARKER, counted

__all__ = ["forgeries", "plain_forgeries"]

# Templates that climb from a value to the interpreter; none gets anywhere, for nothing renders them.
_TEMPLATES = (
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}",
    "{{ cycler.__init__.__globals__.os.getpid() }}",
    "{{ messages|attr('__class__') }}",
    "{{ self._TemplateReference__context.namespace.__init__.__globals__ }}",
    "{{ lipsum.__globals__['os'] }}",
    "{% set x = 'a'['__cl' ~ 'ass__'] %}{{ x }}",
    "{{ ''['\\x5f\\x5fclass\\x5f\\x5f'] }}",
)
_TARGETS = ("os.system", "subprocess.Popen", "builtins.eval", "torch.hub.load", "pickle.loads", "numpy.load")


def plain_forgeries() -> Iterator[tuple[str, bytes]]:
    """(Name, bytes) of each file that needs no library to be made."""
    yield from _configurations()
    yield from _yaml()
    yield from _gguf()
    yield from _saved_models()
    yield from _keras()
    yield from _skops()
    yield from _safetensors()


def forgeries() -> Iterator[tuple[str, bytes]]:
    """(Name, bytes) of each file."""
    yield from plain_forgeries()
    yield from _onnx()
    yield from _hdf5()
    yield from _programs()


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _configurations() -> Iterator[tuple[str, bytes]]:
    base = {"architectures": ["Model"], "model_type": "x"}
    for value in ({"AutoModel": "modeling.Model"}, {"AutoModel": "someone/repo--modeling.Model"}):
        yield "config.json", _json({**base, "auto_map": value})
        yield "config.json", _json({**base, "nested": [{"inner": {"auto_map": value}}]})
    yield "config.json", _json({**base, "trust_remote_code": True})
    yield "config.json", _json({**base, "_attn_implementation_internal": "someone/kernels"})
    yield "model_index.json", _json({"_class_name": "X", "custom_pipeline": "someone/pipeline"})
    yield "escaped.json", b'{"\\u0061uto_map": {"AutoModel": "m.M"}}'
    for target in _TARGETS:
        yield "config.json", _json({"model": {"_target_": target, "x": MARKER}})
    for template in _TEMPLATES:
        yield "tokenizer_config.json", _json({"chat_template": template})
        yield "tokenizer_config.json", _json({"chat_template": [{"name": "tool", "template": template}]})
        yield "chat_template.jinja", template.encode()
    for name in ("../../etc/passwd", "/etc/passwd", "a/../../x.safetensors"):
        yield "model.safetensors.index.json", _json({"metadata": {}, "weight_map": {"w": name}})


def _yaml() -> Iterator[tuple[str, bytes]]:
    for tag in ("object/apply:os.getpid", "object/new:os.getpid", "name:os.getpid", "module:this"):
        yield "config.yaml", f"model: !!python/{tag} []\n".encode()
        yield "config.yaml", f"a: 1\nb:\n  - !<tag:yaml.org,2002:python/{tag}> []\n".encode()
    for target in _TARGETS:
        yield "config.yaml", f"model:\n  _target_: {target}\n  x: {MARKER}\n".encode()
    yield "config.yaml", b"trust_remote_code: true\n"


def _entry(key: str, kind: int, value: bytes) -> bytes:
    return counted(key.encode(), "<Q") + struct.pack("<I", kind) + value


def _gguf_file(tensors: int, entries: list[bytes], rest: bytes = b"") -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, tensors, len(entries)) + b"".join(entries) + rest


def _gguf() -> Iterator[tuple[str, bytes]]:
    for template in _TEMPLATES:
        yield (
            "model.gguf",
            _gguf_file(0, [_entry("tokenizer.chat_template", 8, counted(template.encode(), "<Q"))]),
        )
    yield "count.gguf", b"GGUF" + struct.pack("<IQQ", 3, 1 << 62, 0)
    yield "count.gguf", b"GGUF" + struct.pack("<IQQ", 3, 0, 1 << 60)
    yield "length.gguf", b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 1 << 63) + b"x"
    yield "array.gguf", _gguf_file(0, [_entry("x", 9, struct.pack("<IQ", 4, 1 << 61))])
    yield "twice.gguf", _gguf_file(0, [_entry("x", 4, b"\1\0\0\0"), _entry("x", 4, b"\2\0\0\0")])
    yield "align.gguf", _gguf_file(0, [_entry("general.alignment", 4, struct.pack("<I", 3))])
    for shape, kind, offset in (((1 << 40, 1 << 40), 0, 0), ((64,), 0, 1 << 40), ((64,), 0, 7)):
        tensor = counted(b"w", "<Q") + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)
        yield "tensor.gguf", _gguf_file(1, [], tensor + bytes(1024))


def _onnx() -> Iterator[tuple[str, bytes]]:
    from onnx import TensorProto, helper

    def model(node: Any, tensors: list[Any], domain: str = "") -> bytes:
        value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
        graph = helper.make_graph([node], "g", [value], [value], initializer=tensors)
        opsets = [helper.make_opsetid("", 17), *([helper.make_opsetid(domain, 1)] if domain else [])]
        return bytes(helper.make_model(graph, opset_imports=opsets).SerializeToString())

    plain = helper.make_node("Relu", ["x"], ["y"])
    for location in ("../../etc/passwd", "/etc/passwd", "a/../../b", "..\\x", "a/./../../c"):
        tensor = TensorProto(name="w", data_type=1, dims=[1], data_location=TensorProto.EXTERNAL)
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", location
        yield "model.onnx", model(plain, [tensor])
    tensor = TensorProto(name="w", data_type=1, dims=[1], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", "w.bin"), ("__class__", "x")):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    yield "attribute.onnx", model(plain, [tensor])
    for domain in ("com.example", "ai.onnx.contrib", "python"):
        yield "domain.onnx", model(helper.make_node("PyOp", ["x"], ["y"], domain=domain), [], domain)


def _field(number: int, data: bytes) -> bytes:
    """A length-delimited field of a protocol buffer."""
    key, length = number << 3 | 2, len(data)
    head = bytes([key])
    while length > 127:
        head += bytes([length & 127 | 128])
        length >>= 7
    return head + bytes([length]) + data


def _saved_models() -> Iterator[tuple[str, bytes]]:
    for operator in ("ReadFile", "WriteFile", "PyFunc", "EagerPyFunc", "MatchingFiles", "PyFuncStateless"):
        node = _field(1, b"n") + _field(2, operator.encode())
        meta = _field(1, _field(4, b"serve")) + _field(2, _field(1, node))
        yield "saved_model.pb", b"\x08\x01" + _field(2, meta)
        function = _field(2, _field(1, _field(1, _field(1, b"f")) + _field(3, node)))
        yield "saved_model.pb", b"\x08\x01" + _field(2, _field(1, _field(4, b"serve")) + _field(2, function))


def _layers() -> Iterator[dict[str, Any]]:
    code = {"class_name": "__lambda__", "config": {"code": "4wEAAAA=", "defaults": None, "closure": None}}
    yield {"module": "keras.layers", "class_name": "Lambda", "config": {"name": "l", "function": code}}
    yield {"module": "keras.layers", "class_name": "Lambda", "config": {"function": "get_file"}}
    yield {"module": "os", "class_name": "system", "config": {"command": f"touch {MARKER}"}}
    yield {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "function"}
    yield {"module": "keras.utils", "class_name": "get_file", "config": {"origin": "file:///etc/passwd"}}
    yield {"module": "my_layers", "class_name": "Mine", "registered_name": "Mine", "config": {}}
    yield {"module": "keras.layers", "class_name": "TorchModuleWrapper", "config": {"module": "gAQu"}}


def _keras() -> Iterator[tuple[str, bytes]]:
    for layer in _layers():
        config = {
            "module": "keras",
            "class_name": "Sequential",
            "config": {"name": "s", "layers": [layer]},
        }
        yield "model.keras", zipped(("metadata.json", b"{}"), ("config.json", _json(config)))


def _hdf5() -> Iterator[tuple[str, bytes]]:
    import h5py

    def external(file: Any) -> None:
        file["w"] = h5py.ExternalLink("/etc/passwd", "/x")

    def storage(file: Any) -> None:
        file.create_dataset("w", (4,), "u1", external=[("/etc/passwd", 0, 4)])

    def virtual(file: Any) -> None:
        layout = h5py.VirtualLayout(shape=(4,), dtype="u1")
        layout[:] = h5py.VirtualSource("/etc/passwd", "x", shape=(4,))
        file.create_virtual_dataset("w", layout)

    def lambdas(file: Any) -> None:
        layers = [*_layers()][:1]
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"layers": layers}})

    for build in (external, storage, virtual, lambdas):
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "model.h5"
            with h5py.File(os.fspath(path), "w") as file:
                file["honest"] = [1.0, 2.0]
                build(file)
            yield f"{build.__name__}.h5", path.read_bytes()


def _skops() -> Iterator[tuple[str, bytes]]:
    for module, name, loader in (
        ("operator", "methodcaller", "OperatorFuncNode"),
        ("builtins", "eval", "FunctionNode"),
        ("os", "system", "FunctionNode"),
        ("my", "Model", "ObjectNode"),
        ("sklearn.base", "clone", "MethodNode"),
    ):
        node = {"__class__": name, "__module__": module, "__loader__": loader, "content": {}, "__id__": 1}
        yield "model.skops", zipped(("schema.json", _json({**node, "protocol": 2, "_skops_version": "0.16"})))


def _safetensors() -> Iterator[tuple[str, bytes]]:
    tensor = '{"dtype":"U8","shape":[4],"data_offsets":[%d,%d]}'
    for header, rest in (
        (f'{{"a":{tensor % (0, 4)},"b":{tensor % (2, 6)}}}', 6),
        (f'{{"a":{tensor % (0, 4)},"b":{tensor % (8, 12)}}}', 12),
        (f'{{"a":{tensor % (0, 4)},"a":{tensor % (4, 8)}}}', 8),
        ('{"a":%s}' % (tensor % (0, 9)), 9),
        ('{"a":%s}' % (tensor % (0, 4)), 100),
        ('{"a":{"dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,0]}}', 0),
    ):
        yield "model.safetensors", counted(header.encode(), "<Q") + bytes(rest)
    yield "model.safetensors", struct.pack("<Q", 1 << 40) + b"{" + bytes(100)


def _programs() -> Iterator[tuple[str, bytes]]:
    """Models that bring a program: a policy without them must refuse."""
    import torch

    class Model(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + 1

    file = io.BytesIO()
    torch.jit.save(torch.jit.trace(Model(), torch.zeros(1)), file)
    yield "model.pt", file.getvalue()
    file = io.BytesIO()
    torch.export.save(torch.export.export(Model(), (torch.zeros(2),)), file)
    yield "model.pt2", file.getvalue()
