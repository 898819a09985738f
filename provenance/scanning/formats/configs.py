"""Configuration in JSON and YAML: keys that make loaders import code, and the templates among the values.

Hugging Face (auto_map, trust_remote_code, custom_pipeline), Hydra (_target_), Keras (class_name), YAML's Python tags.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

import msgspec

from provenance.scanning.context import Context
from provenance.scanning.formats.keras_config import keras_faults
from provenance.scanning.formats.templates import template_faults
from provenance.scanning.readers import Reader

__all__ = ["config_faults", "read_json", "read_text"]

_MAX_JSON = 64 << 20
_MAX_VALUES = 2_000_000
# Without one of these in it, a file has nothing that is looked for; escapes can spell any of them.
_NEEDLES = (
    *(b"auto_map", b"trust_remote_code", b"_attn_implementation_internal", b"custom_pipeline", b"_target_"),
    *(b"chat_template", b"class_name", b"registered_name", b"\\u", b"custom_generate"),
)
_CODE_KEYS = ("auto_map", "custom_pipeline", "_attn_implementation_internal", "custom_generate")
_TARGET = re.compile(r"(?:[a-z_]\w*\.)+[A-Z]\w*\Z")
_TARGET_ROOTS = (
    "torch",
    "nemo",
    "lightning",
    "pytorch_lightning",
    "transformers",
    "torchvision",
    "omegaconf",
    "timm",
)
_YAML_TAG = re.compile(rb"(?m)^[^#\n]*!{1,2}<?(?:tag:yaml\.org,2002:)?python/[\w/]+")
_YAML_TARGET = re.compile(rb"(?m)^[ \t-]*[\"']?_target_[\"']?[ \t]*:[ \t]*[\"']?([^\s\"'#]+)")
_YAML_REMOTE = re.compile(
    rb"(?mi)^[ \t-]*[\"']?trust_remote_code[\"']?[ \t]*:[ \t]*[\"']?(?:true|yes|on|1)\b"
)
_YAML_NAMES = (".yaml", ".yml")
_TEMPLATE_NAMES = (".jinja", ".jinja2", ".j2")


def read_json(context: Context, reader: Reader) -> None:
    """Look through a JSON file, or JSON lines, for keys that lead to code."""
    if reader.size > _MAX_JSON:
        return  # data, not configuration: no loader of configurations reads so much
    data = reader.read_at(0, reader.size)
    if not any(needle in data for needle in _NEEDLES):
        return
    for fault, rule in _json_faults(data):
        context.add(rule, fault)


def _json_faults(data: bytes) -> Iterator[tuple[str, str]]:
    try:
        values = [msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"))]
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        values = list(_lines(data))
    for value in values:
        yield from config_faults(value)


def _lines(data: bytes) -> Iterator[Any]:
    for line in data.splitlines()[:100_000]:
        try:
            yield msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return


def config_faults(value: Any) -> Iterator[tuple[str, str]]:
    """(what is wrong, rule id) for all that a configuration names which runs code, however nested."""
    pending, count = [value], 0
    while pending and count < _MAX_VALUES:
        value = pending.pop()
        count += 1
        if isinstance(value, list):
            pending.extend(item for item in value if isinstance(item, list | dict))
        elif isinstance(value, dict):
            pending.extend(item for item in value.values() if isinstance(item, list | dict))
            for fault in keras_faults(value):
                yield fault, "FMT012"
            for key, item in value.items():
                yield from _key_faults(key, item)


def _key_faults(key: str, item: Any) -> Iterator[tuple[str, str]]:
    if key in _CODE_KEYS and item:
        yield f"`{key}` names code that loaders import", "FMT014"
    elif key == "trust_remote_code" and item not in (False, None, 0, "false", "False"):
        yield "`trust_remote_code` is switched on", "FMT014"
    elif key == "_target_" and not (isinstance(item, str) and _plain_target(item)):
        yield f"`_target_` names {str(item)[:80]!r}, which is called", "FMT014"
    elif key.startswith("chat_template"):
        for template in _templates(item):
            for fault in template_faults(template):
                yield f"the chat template is not plain: {fault}", "FMT013"


def _templates(item: Any) -> Iterator[str]:
    """A template, or a list or dict of named ones."""
    if isinstance(item, str):
        yield item
    elif isinstance(item, list):
        for one in item:
            yield from _templates(one.get("template") if isinstance(one, dict) else one)
    elif isinstance(item, dict):
        for one in item.values():
            yield from _templates(one)


def _plain_target(target: str) -> bool:
    """A class of a known library, not reached through a module that the library imports."""
    parts = target.split(".")
    return (
        parts[0] in _TARGET_ROOTS
        and _TARGET.match(target) is not None
        and not any(part in sys.stdlib_module_names or part.startswith("__") for part in parts[1:-1])
    )


def read_text(context: Context, reader: Reader, head: bytes, name: str) -> None:
    """Look through YAML for tags and keys that lead to code, and through templates."""
    lower = name.lower()
    if lower.endswith(_YAML_NAMES) or not name:
        data = reader.read_at(0, min(reader.size, _MAX_JSON))
        for match in list(_YAML_TAG.finditer(data))[:5]:
            context.add("FMT014", f"a YAML tag makes a Python object: {match[0].strip()[-60:]!r}")
        for match in list(_YAML_TARGET.finditer(data))[:5]:
            if not _plain_target(match[1].decode("utf-8", "replace")):
                context.add("FMT014", f"`_target_` names {match[1][:80]!r}, which is called")
        if _YAML_REMOTE.search(data):
            context.add("FMT014", "`trust_remote_code` is switched on")
    if lower.endswith(_TEMPLATE_NAMES) or "chat_template" in lower or head.lstrip()[:2] in (b"{%", b"{{"):
        text = reader.read_at(0, min(reader.size, 2 << 20)).decode("utf-8", "replace")
        for fault in template_faults(text):
            context.add("FMT013", f"the template is not plain: {fault}")
