"""Names of globals: Python 2's are mapped as an unpickler maps them, and only plain names are names."""

from __future__ import annotations

import _compat_pickle

__all__ = ["canonical", "name_fault"]

_LAST_OF_PYTHON_2 = 2


def canonical(module: str, name: str, protocol: int) -> tuple[str, str]:
    """The pair that an unpickler imports, which maps Python 2's names up to protocol 2."""
    if protocol > _LAST_OF_PYTHON_2:
        return module, name
    if (module, name) in _compat_pickle.NAME_MAPPING:
        return _compat_pickle.NAME_MAPPING[module, name]
    return _compat_pickle.IMPORT_MAPPING.get(module, module), name


def name_fault(module: str, name: str) -> str:
    """Why these cannot be a module and a name in it, or empty."""
    if "." in name:
        return "a dotted name reaches through objects to others"
    if not name.isidentifier():
        return "the name is not an identifier"
    if not all(part.isidentifier() for part in module.split(".")):
        return "the module is not an identifier"
    return ""
