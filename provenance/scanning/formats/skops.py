"""skops: the types that ``schema.json`` names must be on the allowlist, and none of its nodes may be a call.

Format: ``skops/io`` (version 0.11 and later): a tree of nodes with ``__class__``, ``__module__`` and ``__loader__``.
"""

from __future__ import annotations

from typing import Any, Final

from provenance.scanning.context import Context
from provenance.scanning.formats.json_text import NotJson, TooDeep, decode_json
from provenance.scanning.pickles.allowlist import Allowed, allowed_by
from provenance.scanning.readers import Reader

__all__ = ["SCHEMA", "check_schema"]

SCHEMA: Final = "schema.json"
_PROFILES: Final = ("numpy", "scipy", "sklearn", "xgboost", "lightgbm")
_CALLS: Final = ("OperatorFuncNode", "MethodNode", "PartialNode", "JoblibNode", "FunctionNode")
# Functions of numbers, which transformers of columns apply.
_FUNCTIONS: Final = frozenset(
    (
        *(
            "abs",
            "absolute",
            "add",
            "arccos",
            "arcsin",
            "arctan",
            "cbrt",
            "ceil",
            "cos",
            "cosh",
            "divide",
            "exp",
            "exp2",
        ),
        *(
            "expm1",
            "floor",
            "log",
            "log10",
            "log1p",
            "log2",
            "maximum",
            "mean",
            "median",
            "minimum",
            "multiply",
        ),
        *(
            "negative",
            "power",
            "reciprocal",
            "rint",
            "sign",
            "sin",
            "sinh",
            "sqrt",
            "square",
            "subtract",
            "tan",
            "tanh",
        ),
    )
)
_VALUES: Final = {
    "builtins": (
        "NoneType",
        "bool",
        "bytearray",
        "bytes",
        "complex",
        "dict",
        "float",
        "frozenset",
        "int",
        "list",
        "set",
    ),
    "collections": ("Counter", "OrderedDict", "defaultdict", "deque"),
    "datetime": ("date", "datetime", "time", "timedelta", "timezone"),
    "numpy.random.mtrand": ("RandomState",),
    "numpy.random._generator": ("Generator",),
    "numpy.random": ("RandomState", "Generator"),
    "numpy.ma": ("MaskedArray",),
}
_MAX_SCHEMA: Final = 64 << 20
_MAX_NODES: Final = 2_000_000


def check_schema(context: Context, reader: Reader) -> None:
    """FMT015 for each type that is not known and each node that calls; a file without such nodes is no schema.

    FMT009 for what is no JSON, FMT016 for what is too large or too deep.
    """
    if reader.size > _MAX_SCHEMA:
        context.add("FMT016", f"{SCHEMA} is larger than {_MAX_SCHEMA >> 20} MiB")
        return
    try:
        schema = decode_json(reader.read_at(0, reader.size))
    except NotJson:
        context.add("FMT009", f"{SCHEMA} is no JSON")
        return
    except TooDeep:
        context.add("FMT016", f"{SCHEMA} has values deeper in one another than is read")
        return
    allowed = allowed_by(_PROFILES, context.policy.allow_globals)
    pending, seen = [schema], 0
    while pending:
        node = pending.pop()
        seen += 1
        if seen > _MAX_NODES:
            context.add("FMT016", f"{SCHEMA} has more than {_MAX_NODES} nodes")
            return
        if isinstance(node, list):
            pending.extend(node)
        elif isinstance(node, dict):
            pending.extend(node.values())
            _check_node(context, node, allowed)


def _check_node(context: Context, node: dict[str, Any], allowed: Allowed) -> None:
    module, name, loader = node.get("__module__"), node.get("__class__"), node.get("__loader__")
    if loader is None and module is None:
        return
    if loader == "FunctionNode" and module == "numpy" and name in _FUNCTIONS:
        return
    if loader in _CALLS:
        context.add("FMT015", f"a node `{loader}` calls `{module}.{name}`"[:200])
    elif not isinstance(module, str) or not isinstance(name, str):
        context.add("FMT015", f"a node `{loader}` has a type without a name"[:200])
    elif (module, name) not in allowed and name not in _VALUES.get(module, ()):
        context.add("FMT015", f"the type `{module}.{name}` is on no allowlist"[:200])
