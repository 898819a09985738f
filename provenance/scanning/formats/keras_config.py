"""Keras's configurations: classes by exact module and name, and the code that some of them hold or call.

Format: ``keras/src/saving/serialization_lib.py`` (v3) and the JSON in HDF5 files of Keras 1 and 2. Loaders import the
module that an object names and call what they find there, so whatever is not on the list is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from provenance.scanning.formats.keras_classes import CLASSES, FUNCTIONS

__all__ = ["keras_faults"]

_CODE: Final = frozenset(
    [
        "Lambda",
        "__lambda__",
        "TorchModuleWrapper",
        "TFSMLayer",
        "JaxLayer",
        "FlaxLayer",
        "TensorFlowOpLayer",
        "Wrapped",
    ]
)
_ROOT: Final = (
    r"(?:keras|keras_core|tf_keras|tensorflow\.keras|tensorflow\.python\.keras)"
    r"(?:\.src|\.api|\._tf_keras\.keras)?"
)
_KINDS: Final = (
    ("layers", r"(?:\.engine|\.models|\.layers|\.legacy)(?:\.[a-z]\w*)*|"),
    ("initializers", r"\.initializers(?:\.[a-z]\w*)*|"),
    ("constraints", r"\.constraints(?:\.[a-z]\w*)*"),
    ("regularizers", r"\.regularizers(?:\.[a-z]\w*)*"),
    ("optimizers", r"(?:\.backend\.[a-z]\w*)?\.optimizers(?:\.[a-z]\w*)*"),
    ("losses", r"\.losses(?:\.[a-z]\w*)*"),
    ("metrics", r"\.metrics(?:\.[a-z]\w*)*|\.trainers(?:\.[a-z]\w*)*"),
    ("policies", r"\.dtype_policies(?:\.[a-z]\w*)*|\.mixed_precision(?:\.[a-z]\w*)*|"),
    ("quantizers", r"\.quantizers(?:\.[a-z]\w*)*"),
    ("random", r"\.random(?:\.[a-z]\w*)*|\.backend\.common\.random"),
    ("features", r"\.utils|\.layers\.preprocessing\.feature_space"),
    ("operations", r"\.ops(?:\.[a-z]\w*)*"),
)
_MODULES: Final = tuple((kind, re.compile(f"{_ROOT}(?:{modules})\\Z")) for kind, modules in _KINDS)
_FUNCTION_MODULE: Final = re.compile(
    rf"{_ROOT}\.(?:activations|losses|metrics|ops|initializers|regularizers|constraints)(?:\.[a-z]\w*)*\Z"
)
_OF_PARTNERS: Final = re.compile(r"keras_(?:hub|nlp|cv|rs)(?:\.[a-z]\w*)*\Z")
_ANY_CLASS: Final = frozenset().union(*CLASSES.values())
# Objects that Keras writes for values; each is rebuilt without importing anything.
_VALUES: Final = frozenset(
    ["__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__", "__tuple__"]
)
_SPECS: Final = ("TensorSpec", "RaggedTensorSpec", "SparseTensorSpec", "BoundedTensorSpec")
_OPERATIONS: Final = re.compile(
    r"(?:(?:math|nn|linalg|signal|image|bitwise|strings|__operators__|random|sparse|ragged|dtypes|quantization)\.)?"
    r"(?!py_|numpy_function|load_|function\b|map_fn|while|cond\b|custom_|eval|print|read|write)[a-z_][a-z0-9_]*\Z"
)

Fault = tuple[str, str]


def keras_faults(value: dict[str, Any], *, keras: bool = False) -> Iterator[Fault]:
    """Yield (what is wrong, rule id) for one object of a configuration that is code, or imports or reads any.

    ``keras``: the object stands in a model of Keras's, where unknown classes leave the question open.
    """
    name = value.get("class_name")
    if not isinstance(name, str) or not ("config" in value or "module" in value):
        return
    module, config = value.get("module"), value.get("config")
    if name in _CODE:
        yield f"a layer `{name}` holds or calls code", "FMT012"
    elif name == "TFOpLambda":
        yield from _operation_faults(config)
    elif name == "function":
        yield from _function_faults(module, config)
    elif name == "__typespec__":
        if value.get("spec_name") not in _SPECS or str(module).partition(".")[0] != "tensorflow":
            yield f"`{module}.{value.get('spec_name')}` is imported, which is none of Keras's", "FMT012"
    elif name not in _VALUES:
        yield from _class_faults(module, name, keras=keras)
    yield from _registered_faults(value, name, config)
    if isinstance(config, dict) and isinstance(config.get("vocabulary"), str):
        yield f"`{name}` reads its vocabulary from the file {config['vocabulary'][:120]!r}", "FMT010"


def _class_faults(module: Any, name: str, *, keras: bool) -> Iterator[Fault]:
    """A class by module and name; without a module it is one of Keras's or of the loading program's."""
    if module is None or module == "":
        if keras and name not in _ANY_CLASS:
            yield f"the class `{name[:80]}` is none of Keras's own", "FMT016"
        return
    if not isinstance(module, str):
        yield "a module is no name", "FMT012"
    elif module == "builtins" and name in ("dict", "tuple", "list"):
        return
    elif _OF_PARTNERS.match(module) and name.isidentifier():
        yield f"`{module}.{name}` is of another package than Keras", "FMT016"
    elif not any(pattern.match(module) and name in CLASSES[kind] for kind, pattern in _MODULES):
        yield f"`{module[:100]}.{name[:80]}` is imported, which is no layer or part of Keras's", "FMT012"


def _function_faults(module: Any, name: Any) -> Iterator[Fault]:
    known = isinstance(name, str) and name in FUNCTIONS
    if not known or not (
        module in (None, "builtins") or (isinstance(module, str) and _FUNCTION_MODULE.match(module))
    ):
        yield f"the function `{str(module)[:100]}.{str(name)[:80]}` is none of Keras's own", "FMT012"


def _registered_faults(value: dict[str, Any], name: str, config: Any) -> Iterator[Fault]:
    """A name under which the loading program has registered a class of its own."""
    registered = value.get("registered_name")
    if registered in (None, "", name, config if isinstance(config, str) else name):
        return
    package, mark, _ = str(registered).partition(">")
    if not (
        (mark and package in ("keras", "Keras", "keras_hub", "keras_nlp", "keras_cv"))
        or (not mark and registered in _ANY_CLASS)
    ):
        yield f"`{str(registered)[:100]}` is a class of its own", "FMT012"


def _operation_faults(config: Any) -> Iterator[Fault]:
    """A function of TensorFlow's by its public name."""
    function = config.get("function") if isinstance(config, dict) else None
    if not isinstance(function, str) or not _OPERATIONS.match(function):
        yield f"a layer calls `{str(function)[:80]}`, which may read files or run code", "FMT012"
