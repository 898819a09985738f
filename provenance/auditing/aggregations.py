"""The rounds among the steps of a lineage, as their statements tell of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from provenance.attestations.slsa import ResourceDescriptor, SlsaProvenance, read_provenance, role_of
from provenance.attestations.weighing import Weighing
from provenance.auditing.model import Aggregation
from provenance.errors import ProvenanceError
from provenance.lineage.index import reopened
from provenance.lineage.tracing import Traced

__all__ = ["aggregations_of"]

_MOST_REJECTED: Final = 200


def aggregations_of(traced: Traced) -> tuple[Aggregation, ...]:
    """Read the accepted statements of rounds again for what the index does not keep."""
    return tuple(_found(traced))


def _found(traced: Traced) -> Iterator[Aggregation]:
    for verdict in traced.verdicts.values():
        for belief in verdict.beliefs:
            if belief.claim.kind != "aggregate" or not belief.accepted:
                continue
            try:
                told = read_provenance(reopened(belief.claim).statement)
            except ProvenanceError:
                continue  # it went away since it was indexed; the custody still names it
            yield _aggregation(told, verdict.reference.name, verdict.reference.sha256)


def _aggregation(told: SlsaProvenance, name: str, digest: str) -> Aggregation:
    build = told.build_definition
    chosen = build.external_parameters
    updates = [each for each in build.resolved_dependencies if role_of(each) == "update"]
    guarantee = build.internal_parameters.get("guarantee")
    return Aggregation(
        artifact=name,
        digest=digest,
        round=f"{_text(chosen, 'task')}@{chosen.get('round', '')}",
        rule=_text(chosen, "rule"),
        faulty=_number(chosen, "faulty"),
        pre=tuple(each for each in chosen.get("pre", ()) if isinstance(each, str)),
        guarantee=guarantee if isinstance(guarantee, dict) else None,
        parts=tuple(_part(each) for each in updates),
        weighing=_weighing(build.internal_parameters.get("coefficients")),
        rejected=tuple(_rejected(each) for each in told.run_details.byproducts[:_MOST_REJECTED]),
    )


def _part(update: ResourceDescriptor) -> tuple[str, float | None, float]:
    told = update.annotations or {}
    coefficient, right = told.get("coefficient"), told.get("votingRight")
    return (
        _text(told, "contributor"),
        float(coefficient) if isinstance(coefficient, int | float) else None,
        float(right) if isinstance(right, int | float) else 1.0,
    )


def _weighing(told: object) -> str:
    """Say what the coefficients are; "" where the statement does not, or says what is not known here."""
    try:
        found = msgspec.convert(told, Weighing)
    except msgspec.ValidationError:
        return ""
    return str(found) if found.kind in {"factor", "mean-weight"} else ""


def _rejected(update: ResourceDescriptor) -> tuple[str, str, str]:
    told = update.annotations or {}
    return _text(told, "contributor"), _text(told, "rule"), _text(told, "message")


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name, "")
    return value if isinstance(value, str) else ""


def _number(told: Mapping[str, Any], name: str) -> int:
    value = told.get(name, 0)
    return value if isinstance(value, int) else 0
