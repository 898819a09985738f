"""Refusing: what is stopped is written down first, for whoever called the loader may swallow the exception."""

from __future__ import annotations

from types import FunctionType, MethodType
from typing import Any

import msgspec

from policies import Finding, finding
from provenance.errors import Refused
from provenance.loading.guarding.active import Guarding, obeyed
from provenance.loading.guarding.names import judge_name
from provenance.loading.guarding.records import Refusal
from provenance.loading.guarding.running import present_load

__all__ = ["check_name", "check_persistent", "note", "refuse"]


def check_name(module: str, name: str) -> None:
    """Raise where a guard that is to be obeyed here does not allow ``module.name`` to be unpickled."""
    for guard in obeyed():
        found = judge_name(guard, module, name)
        if found is not None:
            refuse(guard, found)


def note(guard: Guarding, found: Finding) -> None:
    """Write down what is not stopped."""
    guard.write(Refusal(finding=found))


def refuse(guard: Guarding, found: Finding) -> None:
    """Write a refusal down and raise it; it is no ``UnpicklingError``, which callers catch to try again unsafely."""
    current = present_load()
    if current is not None and not found.path:
        found = msgspec.structs.replace(found, path=current.path)
    guard.write(Refusal(finding=found))
    place = f"{found.path}: " if found.path else ""
    error = Refused(f"{place}{found.message}", code=found.rule, hint=found.hint)
    guard.errors.append(error)
    if current is not None:
        current.refused.append(error)
    raise error


def check_persistent(value: Any) -> None:
    """Raise where what ``persistent_load`` gave can be called and is on no allowlist: a pickle may call it."""
    if not callable(value):
        return
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    plain = isinstance(value, type | FunctionType) or type(value) is type(len)
    for guard in obeyed():
        if not plain or isinstance(value, MethodType) or not guard.allows(str(module), str(name)):
            found = finding("GRD003", f"a persistent object can be called: {ascii(f'{module}.{name}')[:200]}")
            refuse(guard, found)
