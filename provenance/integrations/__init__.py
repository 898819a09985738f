"""Thin adapters to engines and frameworks; each needs the extra of its name."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

__all__ = ["dask", "flower"]


def __getattr__(name: str) -> ModuleType:
    if name not in __all__:
        raise AttributeError(f"module 'provenance.integrations' has no attribute {name!r}")
    return import_module(f"provenance.integrations.{name}")


def __dir__() -> list[str]:
    return sorted(__all__)
