"""Keras's configurations: classes by module and name, and the code that Lambda layers hold.

Format: ``keras/src/saving/serialization_lib.py`` (v3) and the JSON in HDF5 files of Keras 1 and 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["keras_faults"]

_CODE = (
    "Lambda",
    "__lambda__",
    "TorchModuleWrapper",
    "TFSMLayer",
    "JaxLayer",
    "FlaxLayer",
    "TensorFlowOpLayer",
)
_MODULES = (
    "keras",
    "keras_core",
    "tensorflow.keras",
    "tf_keras",
    "tensorflow.python.keras",
    "keras_hub",
    "keras_nlp",
)
_FILE_OPS = (
    "io.",
    "raw_ops.",
    "py_func",
    "numpy_function",
    "py_function",
    "load_op_library",
    "compat.",
    "data.",
)


def keras_faults(value: dict[str, Any]) -> Iterator[str]:
    """What in one object of a configuration is code, or imports any; nothing where it is no object of Keras's."""
    name, module = value.get("class_name"), value.get("module")
    if not isinstance(name, str) or not ("config" in value or "module" in value):
        return
    if name in _CODE:
        yield f"a layer `{name}` holds or calls code"
    elif name == "TFOpLambda" and _reads_files(value.get("config")):
        yield "a layer calls an operation that reads files or calls Python"
    if (
        isinstance(module, str)
        and not _is_keras(module)
        and not (module == "builtins" and name in ("dict", "tuple"))
    ):
        yield f"`{module}.{name}` is imported, which is none of Keras's"
    registered = value.get("registered_name")
    if isinstance(registered, str) and ">" in registered and not registered.startswith(("keras", "Keras")):
        yield f"`{registered}` is a class of its own"


def _is_keras(module: str) -> bool:
    return any(module == known or module.startswith(known + ".") for known in _MODULES) and "__" not in module


def _reads_files(config: Any) -> bool:
    function = config.get("function") if isinstance(config, dict) else None
    return isinstance(function, str) and any(part in function for part in _FILE_OPS)
