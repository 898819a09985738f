"""An attacker without pickles: models and configurations of other formats that lead to code or to other files."""

from __future__ import annotations

import io
import json
import struct
import zipfile

import pytest

from provenance.scanning.verb import scan_bytes


def judged(data: bytes, name: str, decision: str, rule: str = "") -> None:
    scan = scan_bytes(data, name)
    assert scan.decision == decision, (scan.files[0].format, scan.findings)
    assert not rule or rule in {finding.rule for finding in scan.findings}, scan.findings


# --- configurations -------------------------------------------------------------------------------------------------

HARMLESS = [
    {"architectures": ["LlamaForCausalLM"], "trust_remote_code": False, "hidden_size": 4096},
    {
        "chat_template": "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m.content | trim }}{% endfor %}"
    },
    {
        "chat_template": [
            {"name": "default", "template": "{{ bos_token }}{% if not add_generation_prompt %}{% endif %}"}
        ]
    },
    {"model": {"_target_": "torch.optim.AdamW", "lr": 1e-3}},
    {
        "class_name": "Sequential",
        "config": {"layers": [{"module": "keras.layers", "class_name": "Dense", "config": {}}]},
    },
    {"text": "auto_map is a key"},
]


@pytest.mark.parametrize("value", HARMLESS)
def test_harmless_configurations(value):
    judged(json.dumps(value).encode(), "config.json", "accepted")


CODE = [
    ({"auto_map": {"AutoModel": "modeling.Model"}}, "FMT014"),
    ({"a": [{"b": {"auto_map": {"AutoModel": "user/repo--modeling.Model"}}}]}, "FMT014"),
    ({"model": {"trust_remote_code": True}}, "FMT014"),
    ({"trust_remote_code": "yes"}, "FMT014"),
    ({"_attn_implementation_internal": "user/kernel"}, "FMT014"),
    ({"_target_": "os.system"}, "FMT014"),
    ({"x": {"_target_": "builtins.exec"}}, "FMT014"),
    ({"x": {"_target_": "nemo.utils.subprocess.Popen"}}, "FMT014"),
    ({"x": {"_target_": ["torch.nn.Linear"]}}, "FMT014"),
    ({"chat_template": "{{ ''.__class__.__mro__ }}"}, "FMT013"),
    ({"chat_template": "{{ ''['__class__'] }}"}, "FMT013"),
    ({"chat_template": r"{{ ''['\x5f\x5fclass\x5f\x5f'] }}"}, "FMT013"),
    ({"chat_template": "{{ ''['_'+'_class_'+'_'] }}"}, "FMT013"),
    ({"chat_template": "{{ '' | attr('x') }}"}, "FMT013"),
    ({"chat_template": "{% include '/etc/passwd' %}"}, "FMT013"),
    ({"chat_template": "{{ cycler.next }}"}, "FMT013"),
    ({"chat_template": [{"name": "tool_use", "template": "{{ x.gi_frame }}"}]}, "FMT013"),
    ({"class_name": "Lambda", "config": {"function": ["4wEA", None, None]}}, "FMT012"),
    ({"layers": [{"module": "os", "class_name": "system", "config": {}}]}, "FMT012"),
    ({"module": "builtins", "class_name": "function", "config": "eval"}, "FMT012"),
    ({"module": "my.code", "class_name": "Layer", "config": {}, "registered_name": "My>Layer"}, "FMT012"),
]


@pytest.mark.parametrize(("value", "rule"), CODE)
def test_configurations_that_lead_to_code(value, rule):
    judged(json.dumps(value).encode(), "config.json", "refused", rule)
    escaped = "".join(f"\\u{ord(c):04x}" if c.isalpha() else c for c in json.dumps(list(value)[0])[1:-1])
    text = json.dumps(value).replace(json.dumps(list(value)[0])[1:-1], escaped, 1)
    judged(text.encode(), "config.json", "refused", rule)


@pytest.mark.parametrize(
    "text",
    [
        b"a: !!python/object/apply:os.system ['x']\n",
        b"- !<tag:yaml.org,2002:python/name:os.system> x\n",
        b"model:\n  _target_: os.system\n",
        b"trust_remote_code: true\n",
    ],
)
def test_yaml_that_leads_to_code(text):
    judged(text, "config.yaml", "refused", "FMT014")


def test_yaml_that_does_not():
    judged(
        b"model:\n  _target_: torch.optim.Adam\n  lr: 1.0\ntrust_remote_code: false\n",
        "config.yaml",
        "accepted",
    )


def test_templates_in_files_of_their_own():
    judged(b"{{ messages[0].__class__ }}", "chat_template.jinja", "refused", "FMT013")
    judged(b"{%- for m in messages %}{{ m['content'] }}{% endfor %}", "chat_template.jinja", "accepted")


# --- Keras ----------------------------------------------------------------------------------------------------------


def keras(layer: dict) -> bytes:
    file = io.BytesIO()
    config = {"module": "keras", "class_name": "Sequential", "config": {"layers": [layer]}}
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("metadata.json", '{"keras_version": "3.0.0"}')
        archive.writestr("config.json", json.dumps(config))
    return file.getvalue()


def test_keras():
    dense = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 1}, "registered_name": None}
    judged(keras(dense), "m.keras", "accepted")
    judged(keras({**dense, "class_name": "Lambda"}), "m.keras", "refused", "FMT012")
    judged(keras({**dense, "module": "subprocess", "class_name": "Popen"}), "m.keras", "refused", "FMT012")


# --- GGUF -----------------------------------------------------------------------------------------------------------


def text(value: bytes) -> bytes:
    return struct.pack("<Q", len(value)) + value


def gguf(
    keys: list[bytes],
    *,
    tensors: int = 1,
    shape: int = 8,
    offset: int = 0,
    kind: int = 0,
    count: int | None = None,
):
    info = text(b"w") + struct.pack("<IQIQ", 1, shape, kind, offset)
    head = (
        b"GGUF"
        + struct.pack("<IQQ", 3, tensors if count is None else count, len(keys))
        + b"".join(keys)
        + info * tensors
    )
    return head + bytes(-len(head) % 32) + bytes(64)


def string_key(name: bytes, value: bytes) -> bytes:
    return text(name) + struct.pack("<I", 8) + text(value)


def test_gguf():
    judged(gguf([string_key(b"general.name", b"x")]), "m.gguf", "accepted")
    judged(gguf([], tensors=0), "m.gguf", "accepted")


@pytest.mark.parametrize(
    "data",
    [
        gguf([], shape=2**62),
        gguf([], shape=2**63 - 1),
        gguf([], offset=2**63),
        gguf([], offset=4),
        gguf([], shape=100),
        gguf([], tensors=2),
        gguf([], count=2**60),
        gguf([string_key(b"a", b"x"), string_key(b"a", b"y")]),
        gguf([text(b"a") + struct.pack("<IIQ", 9, 8, 2**61)]),
        gguf([text(b"general.alignment") + struct.pack("<II", 4, 3)]),
        gguf([text(b"general.alignment") + struct.pack("<II", 4, 0)]),
        gguf([text(b"a") + struct.pack("<I", 8) + struct.pack("<Q", 2**63)]),
    ],
)
def test_forged_gguf(data):
    judged(data, "m.gguf", "refused", "FMT009")


def test_a_type_of_tensors_that_is_not_known():
    judged(gguf([], kind=77), "m.gguf", "undecided", "FMT016")


def test_a_template_in_gguf():
    judged(
        gguf([string_key(b"tokenizer.chat_template", b"{{ x.__class__ }}")]), "m.gguf", "refused", "FMT013"
    )


# --- protocol buffers -----------------------------------------------------------------------------------------------


def field(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def onnx(*, domain: bytes = b"", external: dict[bytes, bytes] | None = None, functions: bytes = b"") -> bytes:
    node = field(4, b"Gemm") + (field(7, domain) if domain else b"")
    tensor = b"".join(field(13, field(1, key) + field(2, value)) for key, value in (external or {}).items())
    graph = field(1, node) + field(2, b"g") + (field(5, field(8, b"w") + tensor) if external else b"")
    return field(1, 8) + field(7, graph) + functions


def test_onnx():
    judged(onnx(), "m.onnx", "accepted")
    judged(
        onnx(external={b"location": b"weights.bin", b"offset": b"0", b"length": b"16"}), "m.onnx", "accepted"
    )
    judged(onnx(domain=b"com.microsoft"), "m.onnx", "accepted")
    judged(onnx(domain=b"own", functions=field(25, field(1, b"f") + field(10, b"own"))), "m.onnx", "accepted")


@pytest.mark.parametrize("location", [b"/etc/passwd", b"../secret", b"a/../../b", b"C:\\x", b"a\0b"])
def test_onnx_that_leads_elsewhere(location):
    judged(onnx(external={b"location": location}), "m.onnx", "refused", "FMT010")


def test_onnx_with_strange_keys_and_operators():
    judged(onnx(external={b"location": b"w", b"__class__": b"x"}), "m.onnx", "refused", "FMT010")
    judged(onnx(domain=b"evil.ops"), "m.onnx", "refused", "FMT011")


def savedmodel(operator: bytes) -> bytes:
    node = field(1, b"n") + field(2, operator)
    library = field(1, field(3, node))
    return field(1, 1) + field(2, field(1, b"\n\x01x") + field(2, field(2, library)))


def test_savedmodel():
    judged(savedmodel(b"MatMul"), "saved_model.pb", "accepted")
    for operator in (b"ReadFile", b"WriteFile", b"PyFunc", b"EagerPyFunc"):
        judged(savedmodel(operator), "saved_model.pb", "refused", "FMT011")
