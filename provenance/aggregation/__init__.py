"""Robust aggregation: rules with guarantees over arrays, and rounds over verified updates."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from provenance.aggregation.aggregating import Aggregate, aggregate, aggregate_arrays
    from provenance.aggregation.guarantees import Guarantee, guarantee
    from provenance.aggregation.rules import RULES
    from provenance.aggregation.updates import Updates

__all__ = ["RULES", "Aggregate", "Guarantee", "Updates", "aggregate", "aggregate_arrays", "guarantee"]

_HOMES = {
    "Aggregate": "aggregating",
    "Guarantee": "guarantees",
    "RULES": "rules",
    "Updates": "updates",
    "aggregate": "aggregating",
    "aggregate_arrays": "aggregating",
    "guarantee": "guarantees",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'provenance.aggregation' has no attribute {name!r}")
    found = getattr(import_module(f"provenance.aggregation.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
