"""skops: the types that ``schema.json`` names must be on the allowlist, and none of its nodes may be a call.

Format: ``skops/io`` (version 0.11 and later): a tree of nodes with ``__class__``, ``__module__`` and ``__loader__``.
"""

from __future__ import annotations

from typing import Any

import msgspec

from provenance.scanning.context import Context
from provenance.scanning.pickles.allowlist import allowed_by

__all__ = ["check_schema"]

_CALLS = ("OperatorFuncNode", "MethodNode", "PartialNode", "JoblibNode", "FunctionNode")
_PLAIN = ("builtins", "collections", "numpy", "datetime")
_MAX_NODES = 1_000_000


def check_schema(context: Context, data: bytes) -> None:
    """FMT015 for each type that is not known and each node that calls; FMT009 for a schema that is none."""
    try:
        schema: Any = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError):
        context.add("FMT009", "schema.json is no JSON")
        return
    allowed = allowed_by(("sklearn", "xgboost", "lightgbm"), context.policy.allow_globals)
    pending, seen = [schema], 0
    while pending and seen < _MAX_NODES:
        node = pending.pop()
        seen += 1
        if isinstance(node, list):
            pending.extend(node)
        elif isinstance(node, dict):
            pending.extend(node.values())
            module, name, loader = node.get("__module__"), node.get("__class__"), node.get("__loader__")
            if loader in _CALLS:
                context.add("FMT015", f"a node `{loader}` calls `{module}.{name}`"[:200])
            elif isinstance(module, str) and isinstance(name, str):
                known = (module, name) in allowed or (
                    module in _PLAIN and "." not in name and name[:1] != "_"
                )
                if not known or (
                    module == "builtins" and (module, name) not in allowed and name != "NoneType"
                ):
                    context.add("FMT015", f"the type `{module}.{name}` is on no allowlist"[:200])
