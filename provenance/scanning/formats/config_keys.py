"""What a configuration may say by which its loader runs code or reads files: key by key.

Hugging Face (auto_map, trust_remote_code, custom_pipeline, attention kernels, weight_map), sentence-transformers
(modules.json), Hydra (_target_), Lightning (class_path), jsonpickle (py/...), diffusers (_class_name).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any, Final

from provenance.artifacts.names import name_problem
from provenance.scanning.formats.templates import template_faults

__all__ = ["NEEDLES", "SHORT_NEEDLES", "Fault", "key_faults", "plain_target", "switched_on"]

Fault = tuple[str, str]

_CODE_KEYS: Final = frozenset(
    ("auto_map", "custom_pipeline", "custom_pipelines", "_attn_implementation_internal", "custom_generate")
)
_ATTENTION: Final = ("attn_implementation", "_attn_implementation")
_ACTIVATIONS: Final = (
    "activation_function",
    "activation_fn",
    "sbert_ce_default_activation_function",
    "default_activation_function",
)
_OFF: Final = (False, None, 0, "", "false", "False", "no", "off", "0", "null", "None")
_VOCABULARY: Final = 100  # no configuration has so many numbers and nothing else
# Where the parts of pipelines come from: libraries, and modules of diffusers' own pipelines.
_LIBRARIES: Final = frozenset(
    (
        *(
            "diffusers",
            "transformers",
            "onnxruntime",
            "optimum",
            "k_diffusion",
            "flax",
            "sentencepiece",
            "tokenizers",
        ),
        *(
            "stable_diffusion",
            "stable_diffusion_safe",
            "stable_diffusion_xl",
            "paint_by_example",
            "deepfloyd_if",
        ),
        *(
            "kandinsky",
            "kandinsky2_2",
            "latent_diffusion",
            "unidiffuser",
            "versatile_diffusion",
            "wuerstchen",
            "ddpm",
        ),
        *(
            "audioldm2",
            "audio_diffusion",
            "shap_e",
            "stable_cascade",
            "stable_audio",
            "blip_diffusion",
            "flux",
            "ltx",
        ),
        *(
            "hunyuandit",
            "lumina",
            "latte",
            "pixart_alpha",
            "musicldm",
            "spectrogram_diffusion",
            "visualcloze",
            "bria",
        ),
    )
)
_PARENTS: Final = (
    "transformers",
    "diffusers",
    "torch",
    "torchvision",
    "timm",
    "sentence_transformers",
    "peft",
)

_WORDS: Final = (
    rb"(?:auto_map|trust_remote_code|custom_pipelines?|_?attn_implementation(?:_internal)?|custom_generate|_target_"
    rb"|class_path|chat_template\w{0,40}|class_name|registered_name|weight_map|auto_mapping|py/\w{1,40}"
    rb"|activation_f\w{1,40}|sbert_ce_\w{1,40}|_class_name)"
)
_ESCAPES: Final = rb"|\\u00(?:2[fF]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aA])"

NEEDLES: Final = re.compile(_WORDS + rb'\\*+"\s*+:|"type"\s*+:\s*+"\w++\.' + _ESCAPES)
"""Without one of these in it a file holds nothing that is looked for; plain letters are escaped only to hide.

Each part is possessive, so that the time is linear.
"""

SHORT_NEEDLES: Final = re.compile(
    _WORDS + rb'\\{0,64}"|"type"(?:\s{64}|\s{0,63}:(?:\s{64}|\s{0,63}"(?:\w{100}|\w{1,99}\.)))' + _ESCAPES
)
"""The same for files that are searched in parts: whatever a match depends on lies within 256 bytes."""

_TARGET: Final = re.compile(
    r"(?:torch\.(?:nn|optim)|torch\.utils\.data|torchvision\.(?:models|transforms)|timm\.\w+|omegaconf"
    r"|nemo\.(?:collections|core)|(?:pytorch_lightning|lightning\.pytorch)(?:\.(?:callbacks|loggers|strategies|profilers))?"
    r"|transformers)(?:\.[a-z_]\w*)*\.[A-Z]\w*\Z"
)
_MODULE_TYPE: Final = re.compile(r"sentence_transformers(?:\.[a-z_]\w*)*\.[A-Z]\w*\Z")
_ACTIVATION: Final = re.compile(r"(?:torch\.nn(?:\.modules)?(?:\.[a-z_]\w*)*\.[A-Z]\w*|[\w-]*)\Z")


def switched_on(item: Any) -> bool:
    """Whether a setting is anything but off."""
    return item not in _OFF if isinstance(item, str | int | float | bool | None) else True


def plain_target(target: Any) -> bool:
    """Whether this names a class of a known library, not reached through a module that the library imports."""
    if not isinstance(target, str) or not _TARGET.match(target):
        return False
    through = target.removeprefix("nemo.collections.").split(".")[1:-1]
    return not any(part in sys.stdlib_module_names or part.startswith("__") for part in through)


def key_faults(value: dict[str, Any]) -> Iterator[Fault]:
    """Yield (what is wrong, rule id) for the members of one object."""
    if len(value) > _VOCABULARY and all(type(item) is int for item in value.values()):
        return  # a vocabulary: words and their numbers
    for key, item in value.items():
        check = _CHECKS.get(key)
        if check is not None:
            yield from check(key, item)
        elif key.startswith("chat_template"):
            yield from _template(item)
        elif key.startswith("py/"):
            yield from _pickled(key, item)
    yield from _module_faults(value)


def _code(key: str, item: Any) -> Iterator[Fault]:
    if item and not isinstance(item, int | float):  # a number is that of a word in a vocabulary
        yield f"`{key}` names code that loaders import", "FMT014"


def _remote(_key: str, item: Any) -> Iterator[Fault]:
    if switched_on(item):
        yield "`trust_remote_code` is switched on", "FMT014"


def _kernel(key: str, item: Any) -> Iterator[Fault]:
    names = item.values() if isinstance(item, dict) else [item]
    if any(isinstance(name, str) and ("/" in name or "\\" in name) for name in names):
        yield f"`{key}` names a repository of code", "FMT014"


def _target(key: str, item: Any) -> Iterator[Fault]:
    if not plain_target(item) and not isinstance(item, int | float):
        yield f"`{key}` names {str(item)[:80]!r}, which is called", "FMT014"


def _activation(key: str, item: Any) -> Iterator[Fault]:
    if isinstance(item, str) and not _ACTIVATION.match(item):
        yield f"`{key}` names {item[:80]!r}, which is imported", "FMT014"


def _mapping(_key: str, item: Any) -> Iterator[Fault]:
    """PEFT's auto_mapping: the module of the model's class."""
    library = item.get("parent_library") if isinstance(item, dict) else None
    if library is not None and str(library).partition(".")[0] not in _PARENTS:
        yield f"the library {str(library)[:80]!r} is imported", "FMT014"


def _weights(_key: str, item: Any) -> Iterator[Fault]:
    """Hugging Face's index of shards: tensor name -> file name."""
    if not isinstance(item, dict):
        return
    for name in {name for name in item.values() if isinstance(name, str)}:
        problem = name_problem(name.removeprefix("./"))
        if problem:
            yield f"the index leads to {name[:120]!r}, which {problem}", "FMT010"


def _pickled(key: str, item: Any) -> Iterator[Fault]:
    """Jsonpickle's own keys, by which it imports and calls."""
    if key in (
        "py/object",
        "py/type",
        "py/function",
        "py/reduce",
        "py/repr",
        "py/module",
        "py/newobj",
        "py/newargs",
        "py/newargsex",
        "py/initargs",
    ):
        yield f"`{key}` makes jsonpickle import {str(item)[:80]!r}", "FMT014"


def _module_faults(value: dict[str, Any]) -> Iterator[Fault]:
    """Entries of sentence-transformers' modules.json, and pipelines of diffusers that are classes of their own."""
    kind = value.get("type")
    if "idx" in value and "path" in value and isinstance(kind, str) and not _MODULE_TYPE.match(kind):
        yield f"the module {kind[:100]!r} is imported, which is none of sentence-transformers'", "FMT014"
    if isinstance(value.get("_class_name"), list):
        yield "`_class_name` names a pipeline in a file of its own", "FMT014"
    elif "_class_name" in value and "_diffusers_version" in value:
        yield from _part_faults(value)


def _part_faults(value: dict[str, Any]) -> Iterator[Fault]:
    """Parts of a pipeline, each as [library, class]."""
    for name, part in value.items():
        if isinstance(part, list) and len(part) == 2 and all(isinstance(item, str) for item in part):
            library, kind = part
            if library not in _LIBRARIES and kind[:1].isupper():
                yield (
                    f"the part `{name[:40]}` is the class `{library[:60]}.{kind[:60]}`, which is imported",
                    "FMT014",
                )


def _template(item: Any) -> Iterator[Fault]:
    for template in _templates(item):
        for fault, rule in template_faults(template):
            yield f"the chat template is not plain: {fault}", rule


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


_CHECKS: Final = {
    **dict.fromkeys(_CODE_KEYS, _code),
    **dict.fromkeys(_ATTENTION, _kernel),
    **dict.fromkeys(_ACTIVATIONS, _activation),
    "trust_remote_code": _remote,
    "_target_": _target,
    "weight_map": _weights,
    "auto_mapping": _mapping,
}
