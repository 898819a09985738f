"""Directories as Hugging Face's libraries write them: ordinary ones pass, and what names code is said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from provenance.scanning.verb import scan

TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' ~ message.role ~ '\n' ~ message.content }}{% endfor %}"
)
SPECIAL = {
    "bos_token": {
        "content": "<s>",
        "lstrip": False,
        "normalized": False,
        "rstrip": False,
        "single_word": False,
    }
}


def put(root: Path, name: str, value: object) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(value, bytes):
        path.write_bytes(value)
    elif isinstance(value, str):
        path.write_text(value, encoding="utf-8")
    else:
        path.write_text(json.dumps(value, indent=2, ensure_ascii=False), encoding="utf-8")


def sentencepiece() -> bytes:
    """A vocabulary as SentencePiece writes it: pieces with scores, then how it was trained."""
    out = b""
    for number, piece in enumerate(["<unk>", "<s>", "</s>", "▁the", "ing"]):
        text = piece.encode()
        body = bytes([0x0A, len(text)]) + text + b"\x15" + np.float32(-number).tobytes()
        body += b"\x18\x02" if number < 3 else b""
        out += bytes([0x0A, len(body)]) + body
    return out + b"\x12\x04\x0a\x02xx" + b"\x1a\x06\x0a\x04nfkc"


def language_model(root: Path) -> Path:
    put(root, "config.json", {
        "architectures": ["LlamaForCausalLM"], "attention_bias": False, "hidden_act": "silu", "hidden_size": 64,
        "model_type": "llama", "rope_scaling": {"type": "linear", "factor": 2.0}, "torch_dtype": "bfloat16",
        "transformers_version": "4.57.0", "attn_implementation": "sdpa", "use_cache": True,
        "quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True},
    })  # fmt: skip
    put(root, "generation_config.json", {"_from_model_config": True, "eos_token_id": [2], "temperature": 0.6})
    put(root, "tokenizer.json", {
        "version": "1.0", "added_tokens": [{"id": 0, "content": "<unk>", "special": True}],
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "ByteLevel", "add_prefix_space": False}]},
        "model": {"type": "BPE", "vocab": {"class_name": 1, "auto_map": 2, "é\u2028": 3, "\\u0061": 4, "_target_": 5}, "merges": ["a b"]},
    })  # fmt: skip
    put(
        root,
        "tokenizer_config.json",
        {
            "tokenizer_class": "LlamaTokenizer",
            "chat_template": TEMPLATE,
            **SPECIAL,
            "model_max_length": 10**30,
        },
    )
    put(root, "special_tokens_map.json", SPECIAL)
    put(root, "tokenizer.model", sentencepiece())
    put(root, "chat_template.jinja", TEMPLATE)
    put(
        root,
        "README.md",
        "---\nlicense: mit\nlibrary_name: transformers\n---\n# A model\n`trust_remote_code=True` is not needed.\n",
    )
    put(root, ".gitattributes", "*.safetensors filter=lfs diff=lfs merge=lfs -text\n")
    put(root, "merges.txt", "#version: 0.2\nĠ t\n")
    for number in (1, 2):
        save_file(
            {f"layer.{number}": np.zeros((4, 4), np.float32)},
            root / f"model-0000{number}-of-00002.safetensors",
        )
    put(root, "model.safetensors.index.json", {
        "metadata": {"total_size": 128},
        "weight_map": {"layer.1": "model-00001-of-00002.safetensors", "layer.2": "model-00002-of-00002.safetensors"},
    })  # fmt: skip
    return root


def sentence_encoder(root: Path) -> Path:
    language_model(root)
    put(root, "modules.json", [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.base.modules.dense.Dense"},
    ])  # fmt: skip
    put(root, "1_Pooling/config.json", {"word_embedding_dimension": 384, "pooling_mode_mean_tokens": True})
    put(
        root,
        "2_Dense/config.json",
        {"in_features": 1, "out_features": 1, "activation_function": "torch.nn.modules.activation.Tanh"},
    )
    put(root, "config_sentence_transformers.json", {"prompts": {"query": ""}, "similarity_fn_name": "cosine"})
    return root


def diffusion_pipeline(root: Path) -> Path:
    put(root, "model_index.json", {
        "_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.35.0", "requires_safety_checker": False,
        "unet": ["diffusers", "UNet2DConditionModel"], "tokenizer": ["transformers", "CLIPTokenizer"],
        "safety_checker": [None, None],
    })  # fmt: skip
    put(
        root, "unet/config.json", {"_class_name": "UNet2DConditionModel", "act_fn": "silu", "sample_size": 64}
    )
    put(root, "scheduler/scheduler_config.json", {"_class_name": "DDIMScheduler", "beta_start": 0.00085})
    (root / "unet").mkdir(exist_ok=True)
    save_file({"w": np.zeros(4, np.float32)}, root / "unet/diffusion_pytorch_model.safetensors")
    return root


def adapter(root: Path) -> Path:
    put(root, "adapter_config.json", {
        "peft_type": "LORA", "base_model_name_or_path": "org/model", "target_modules": ["q_proj", "v_proj"],
        "auto_mapping": {"base_model_class": "BertModel", "parent_library": "transformers.models.bert.modeling_bert"},
    })  # fmt: skip
    save_file({"lora": np.zeros(4, np.float32)}, root / "adapter_model.safetensors")
    return root


def yaml_configurations(root: Path) -> Path:
    put(
        root,
        "model_config.yaml",
        "model:\n  encoder:\n    _target_: nemo.collections.asr.modules.ConformerEncoder\n    feat_in: 80  # a number\n  optim:\n    name: adamw\n    lr: 1e-3\n",
    )
    put(
        root,
        "config.yml",
        "defaults:\n  - _self_\ntrainer:\n  _target_: pytorch_lightning.Trainer\n  max_epochs: 3\ntrust_remote_code: false\nanchors: &a\n  x: 1\ny: *a\nz: !!str 3\n",
    )
    put(
        root,
        "MLmodel",
        "artifact_path: model\nflavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    model_path: model.onnx\n",
    )
    return root


ORDINARY = [language_model, sentence_encoder, diffusion_pipeline, adapter, yaml_configurations]


@pytest.mark.parametrize("make", ORDINARY)
def test_ordinary_repositories_pass(tmp_path: Path, make):
    found = scan(make(tmp_path))
    assert found.decision == "accepted", found.findings
    assert [finding for finding in found.findings if finding.severity == "error"] == []


CODE = {
    "config.json": [
        ({"auto_map": {"AutoModel": "modeling_own.Model"}}, "FMT014"),
        ({"auto_map": {"AutoModel": "someone/repository--modeling.Model"}}, "FMT014"),
        ({"text_config": {"vision": [{"auto_map": {"AutoConfig": "x.Y"}}]}}, "FMT014"),
        ({"nested": json.dumps({"auto_map": {"AutoModel": "x.Y"}})}, "FMT014"),
        ({"nested": json.dumps({"again": json.dumps({"trust_remote_code": True})})}, "FMT014"),
        ({"trust_remote_code": True, "x": float("nan")}, "FMT014"),
        ({"trust_remote_code": 1}, "FMT014"),
        ({"trust_remote_code": ["x"]}, "FMT014"),
        ({"_attn_implementation_internal": "someone/kernel"}, "FMT014"),
        ({"attn_implementation": "kernels-community/flash-attn"}, "FMT014"),
        ({"attn_implementation": {"text_config": "someone/kernel"}}, "FMT014"),
        ({"custom_generate": "someone/decoding"}, "FMT014"),
        ({"a": {"py/reduce": [{"py/function": "os.system"}]}}, "FMT014"),
        ({"_target_": "torch.hub.load"}, "FMT014"),
        ({"_target_": "torch.package.PackageImporter"}, "FMT014"),
        ({"_target_": "transformers.utils.os.Popen"}, "FMT014"),
        ({"activation_fn": "evil.module.Class"}, "FMT014"),
    ],
    "model_index.json": [
        ({"_class_name": ["pipeline", "Own"]}, "FMT014"),
        ({"_class_name": "X", "custom_pipeline": "someone/pipeline"}, "FMT014"),
        ({"_class_name": "X", "unet": ["own_unet", "Unet"], "_diffusers_version": "0.35"}, "FMT014"),
    ],
    "modules.json": [
        ([{"idx": 0, "name": "0", "path": "", "type": "own_module.Transformer"}], "FMT014"),
        ([{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.os.system"}], "FMT014"),
    ],
    "adapter_config.json": [
        ({"auto_mapping": {"base_model_class": "X", "parent_library": "transformers_modules.x"}}, "FMT014"),
        ({"auto_mapping": {"base_model_class": "X", "parent_library": "own"}}, "FMT014"),
    ],
    "model.safetensors.index.json": [
        ({"weight_map": {"a": "../../secret.safetensors"}}, "FMT010"),
        ({"weight_map": {"a": "/etc/passwd"}}, "FMT010"),
        ({"metadata": {}, "weight_map": {"a": "x.safetensors", "b": "a\\..\\b"}}, "FMT010"),
    ],
    "hparams.yaml": [
        ("model:\n  - _target_: os.system\n", "FMT014"),
        ("'_target_': \"builtins.eval\"  # x\n", "FMT014"),
        ("class_path: own.Model\ninit_args: {}\n", "FMT014"),
        ("auto_map:\n  AutoModel: x.Y\n", "FMT016"),
        ("a: !!python/object/apply:os.system [x]\n", "FMT014"),
        ("a: !<tag:yaml.org,2002:python/name:os.system> x\n", "FMT014"),
        ("a: !!py%74hon/name:os.system x\n", "FMT014"),
        ("a: [1, !!python/name:os.system x]\n", "FMT014"),
        ("trust_remote_code: yes\n", "FMT014"),
        ("{_target_: os.system}\n", "FMT016"),
        ("? _target_\n: os.system\n", "FMT016"),
        ("_target_: >-\n  os.system\n", "FMT016"),
        ("!!str _target_: os.system\n", "FMT016"),
        ("&a _target_: os.system\n", "FMT016"),
        ('"_t\\x61rget_": os.system\n', "FMT016"),
        ("%TAG !x! tag:yaml.org,2002:python/\n---\na: !x!name:os.system x\n", "FMT016"),
        ('"_tar\\\n' + " " * 900 + 'get_": os.system\n', "FMT014"),
        ("\ufeff_target_: os.system\n", "FMT014"),
        ("a: 1\r_target_: os.system\r", "FMT014"),
    ],
    "MLmodel": [("flavors:\n  python_function:\n    loader_module: own_loader\n", "FMT014")],
}


@pytest.mark.parametrize(
    ("name", "value", "rule"), [(name, value, rule) for name, cases in CODE.items() for value, rule in cases]
)
def test_what_names_code_is_said(tmp_path: Path, name, value, rule):
    put(tmp_path, name, value)
    found = scan(tmp_path)
    assert found.decision == ("undecided" if rule == "FMT016" else "refused")
    assert {finding.rule for finding in found.findings} == {rule}


def test_yaml_in_utf_16(tmp_path: Path):
    put(tmp_path, "a.yaml", "_target_: os.system\n".encode("utf-16"))
    assert scan(tmp_path).decision == "refused"


def test_code_beside_a_configuration_is_noted(tmp_path: Path):
    language_model(tmp_path)
    put(tmp_path, "modeling_own.py", "class Model: ...\n")
    found = scan(tmp_path)
    assert found.decision == "accepted"
    assert [(finding.rule, finding.severity, finding.path) for finding in found.findings] == [
        ("FMT005", "note", "modeling_own.py")
    ]


def test_lines_of_data_that_speak_of_keys(tmp_path: Path):
    rows = [
        {"text": 'set "auto_map": {} in config.json', "id": 1},
        {"messages": [{"role": "user", "content": "{{ x.__class__ }}"}]},
    ]
    put(tmp_path, "data.jsonl", "\n".join(json.dumps(row) for row in rows) + "\n")
    assert scan(tmp_path).decision == "accepted"


def test_a_key_far_behind(tmp_path: Path):
    """Beyond what is parsed at once the question is left open, never answered by silence."""
    filler = '{"a": "' + "x" * 1000 + '"}\n'
    late = filler * 70_000 + '{"auto_map": {"AutoModel": "x.Y"}}\n'
    put(tmp_path, "late.jsonl", late)
    found = scan(tmp_path)
    assert (found.decision, {finding.rule for finding in found.findings}) == ("undecided", {"FMT016"})
    put(tmp_path, "late.jsonl", filler * 70_000)
    assert scan(tmp_path).decision == "accepted"
    put(tmp_path, "late.jsonl", late[-(30 << 20) :].partition("\n")[2])
    assert scan(tmp_path).decision == "refused"


def test_data_sets_in_parquet(tmp_path: Path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    plain = pa.table({"a": [1, 2], "b": ["x", "y"]})
    pq.write_table(plain, tmp_path / "data.parquet")
    found = scan(tmp_path)
    assert (found.files[0].format, found.decision) == ("parquet", "accepted")
    field = pa.field(
        "a",
        pa.int64(),
        metadata={"ARROW:extension:name": "arrow.py_extension_type", "ARROW:extension:metadata": "x"},
    )
    pq.write_table(pa.table([pa.array([1])], schema=pa.schema([field])), tmp_path / "data.parquet")
    assert {finding.rule for finding in scan(tmp_path).findings} == {"FMT014"}
    whole = (tmp_path / "data.parquet").read_bytes()
    put(tmp_path, "data.parquet", whole[:-20])
    assert {finding.rule for finding in scan(tmp_path).findings} == {"FMT009"}


def test_white_space_hides_nothing(tmp_path: Path):
    wide = " " * 5000
    put(tmp_path, "config.json", '{"auto_map"' + wide + ":" + wide + '{"AutoModel": "x.Y"}}')
    assert scan(tmp_path).decision == "refused"
    name = "a" * 300
    put(tmp_path, "config.json", '[{"idx": 0, "path": "", "type"' + wide + ":" + wide + f'"{name}.X"' + "}]")
    assert scan(tmp_path).decision == "refused"
    filler = '{"a": "' + "x" * ((16 << 20) - 20)
    put(
        tmp_path,
        "config.json",
        filler + '", "auto_map"' + wide + ': {"b": "c"}, "d": "' + "x" * (50 << 20) + '"}',
    )
    assert scan(tmp_path).decision == "undecided"
