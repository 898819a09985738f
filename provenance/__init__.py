"""Sign data sets and model weights, and load only what a policy accepts.

    import provenance

    provenance.sign("model/", key="release.key")
    check = provenance.verify("model/", keys=["release.key.pub"])
    weights = provenance.load("model/", keys=["release.key.pub"])

The verbs are imported when they are first used, so that ``import provenance`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from policies import Finding, Policy
    from provenance import aggregation
    from provenance.aggregation.rounds.replaying import replay
    from provenance.aggregation.rounds.result import Replay, Round
    from provenance.aggregation.rounds.round import aggregate
    from provenance.errors import (
        Malformed,
        ProvenanceError,
        Refused,
        Undecided,
        Unreadable,
        UsageError,
    )
    from provenance.lineage.contributing import contribute
    from provenance.loading.convert import Conversion, convert
    from provenance.loading.guard import Guard, guard
    from provenance.loading.lazy import open_tensors
    from provenance.loading.load import load
    from provenance.loading.sealed import sealed
    from provenance.scanning.minimal import minimal_allowlist
    from provenance.scanning.verb import Scan, scan
    from provenance.signing.sign import sign
    from provenance.verification import Verification, verify

__all__ = [
    "Conversion",
    "Finding",
    "Guard",
    "Malformed",
    "Policy",
    "ProvenanceError",
    "Refused",
    "Replay",
    "Round",
    "Scan",
    "Undecided",
    "Unreadable",
    "UsageError",
    "Verification",
    "aggregate",
    "aggregation",
    "contribute",
    "convert",
    "guard",
    "load",
    "minimal_allowlist",
    "open_tensors",
    "replay",
    "scan",
    "sealed",
    "sign",
    "verify",
]

_HOMES = {
    "Conversion": "provenance.loading.convert",
    "Finding": "policies",
    "Guard": "provenance.loading.guard",
    "Policy": "policies",
    "Replay": "provenance.aggregation.rounds.result",
    "Round": "provenance.aggregation.rounds.result",
    "Scan": "provenance.scanning.verb",
    "Verification": "provenance.verification",
    "aggregate": "provenance.aggregation.rounds.round",
    "contribute": "provenance.lineage.contributing",
    "convert": "provenance.loading.convert",
    "guard": "provenance.loading.guard",
    "load": "provenance.loading.load",
    "minimal_allowlist": "provenance.scanning.minimal",
    "open_tensors": "provenance.loading.lazy",
    "replay": "provenance.aggregation.rounds.replaying",
    "scan": "provenance.scanning.verb",
    "sealed": "provenance.loading.sealed",
    "sign": "provenance.signing.sign",
    "verify": "provenance.verification",
}
_PACKAGES = frozenset({"aggregation"})


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'provenance' has no attribute {name!r}")
    if name in _PACKAGES:
        return import_module(f"provenance.{name}")
    found = getattr(import_module(_HOMES.get(name, "provenance.errors")), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
