"""Allowlists of globals, as data with a reason for each, in named profiles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module

from provenance.scanning.pickles.allowlist.model import Entry

__all__ = ["PROFILE_NAMES", "Allowed", "allowed_by"]

Allowed = Mapping[tuple[str, str], Entry]

PROFILE_NAMES: tuple[str, ...] = ("tensors", "numpy", "sklearn", "scipy", "pandas", "xgboost", "lightgbm")

# What a profile builds upon.
_BUILDS_ON: Mapping[str, tuple[str, ...]] = {
    "tensors": (),
    "numpy": ("tensors",),
    "scipy": ("numpy",),
    "pandas": ("numpy",),
    "sklearn": ("numpy", "scipy"),
    "xgboost": ("sklearn",),
    "lightgbm": ("sklearn",),
}


@cache
def allowed_by(profiles: tuple[str, ...], allow_globals: tuple[str, ...] = ()) -> Allowed:
    """Map (module, name) to what the named profiles, those they build on and ``allow_globals`` say of it.

    Names in ``allow_globals`` are ``module.name``. Raises KeyError for a profile that does not exist.
    """
    found: dict[tuple[str, str], Entry] = {}
    for profile in _with_bases(profiles):
        found.update({(entry.module, entry.name): entry for entry in _entries(profile)})
    for dotted in allow_globals:
        module, _, name = dotted.rpartition(".")
        found.setdefault((module, name), Entry(module, name, "any", "the policy allows it", state=True))
    return found


def _with_bases(profiles: Iterable[str]) -> list[str]:
    """The profiles and all that they build on, each once."""
    pending, found = list(profiles), []
    while pending:
        profile = pending.pop()
        if profile not in found:
            found.append(profile)
            pending.extend(_BUILDS_ON[profile])
    return found[::-1]


def _entries(profile: str) -> tuple[Entry, ...]:
    """The entries of one profile; only those that are named are imported."""
    module = import_module(f"{__name__}.{profile}")
    entries: tuple[Entry, ...] = module.ENTRIES
    return entries
