"""Sign data sets and model weights, and load only what a policy accepts.

    import provenance

    provenance.sign("model/", key="release.key")
    check = provenance.verify("model/", keys=["release.key.pub"])
    weights = provenance.load("model/", keys=["release.key.pub"])

The verbs are imported when they are first used, so that ``import provenance`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from provenance.garbage import uncollected

if TYPE_CHECKING:
    from policies import Finding, Policy
    from provenance import aggregation, integrations
    from provenance.aggregation.rounds.replaying import replay
    from provenance.aggregation.rounds.result import Replay, Round
    from provenance.aggregation.rounds.round import aggregate
    from provenance.auditing.audit import audit
    from provenance.auditing.model import Audit
    from provenance.errors import (
        Malformed,
        ProvenanceError,
        Refused,
        Undecided,
        Unreadable,
        UsageError,
    )
    from provenance.lineage.attest import attest
    from provenance.lineage.contributing import contribute
    from provenance.lineage.impact import Impact, impact
    from provenance.lineage.lineage import Lineage, trace
    from provenance.lineage.recorder import Recorder, recorder
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
    "Audit",
    "Conversion",
    "Finding",
    "Guard",
    "Impact",
    "Lineage",
    "Malformed",
    "Policy",
    "ProvenanceError",
    "Recorder",
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
    "attest",
    "audit",
    "contribute",
    "convert",
    "guard",
    "impact",
    "integrations",
    "load",
    "minimal_allowlist",
    "open_tensors",
    "recorder",
    "replay",
    "scan",
    "sealed",
    "sign",
    "trace",
    "verify",
]

_HOMES = {
    "Audit": "provenance.auditing.model",
    "audit": "provenance.auditing.audit",
    "Conversion": "provenance.loading.convert",
    "Finding": "policies",
    "Guard": "provenance.loading.guard",
    "Impact": "provenance.lineage.impact",
    "Lineage": "provenance.lineage.lineage",
    "Policy": "policies",
    "Recorder": "provenance.lineage.recorder",
    "Replay": "provenance.aggregation.rounds.result",
    "Round": "provenance.aggregation.rounds.result",
    "Scan": "provenance.scanning.verb",
    "Verification": "provenance.verification",
    "aggregate": "provenance.aggregation.rounds.round",
    "attest": "provenance.lineage.attest",
    "contribute": "provenance.lineage.contributing",
    "convert": "provenance.loading.convert",
    "guard": "provenance.loading.guard",
    "impact": "provenance.lineage.impact",
    "load": "provenance.loading.load",
    "minimal_allowlist": "provenance.scanning.minimal",
    "open_tensors": "provenance.loading.lazy",
    "recorder": "provenance.lineage.recorder",
    "replay": "provenance.aggregation.rounds.replaying",
    "scan": "provenance.scanning.verb",
    "sealed": "provenance.loading.sealed",
    "sign": "provenance.signing.sign",
    "trace": "provenance.lineage.lineage",
    "verify": "provenance.verification",
}
_PACKAGES = frozenset({"aggregation", "integrations"})


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'provenance' has no attribute {name!r}")
    if name in _PACKAGES:
        return _imported(f"provenance.{name}")
    found = getattr(_imported(_HOMES.get(name, "provenance.errors")), name)
    globals()[name] = found
    return found


def _imported(module: str) -> ModuleType:
    """Import without collecting garbage on the way: beside a framework that costs more than the import, for nothing."""
    with uncollected():
        return import_module(module)


def __dir__() -> list[str]:
    return sorted(__all__)
