"""The answers about one record, in the forms of those about a whole artifact."""

from __future__ import annotations

from pathlib import Path

from policies import Finding, outcome
from policies.findings import DecisionName
from provenance.errors import ProvenanceError, UsageError
from provenance.lineage.impact import Impact, impact_of_edges
from provenance.lineage.index import Met
from provenance.lineage.lineage import Lineage
from provenance.lineage.opening import Opened
from provenance.lineage.origins import read_origins
from provenance.lineage.paths import LineagePath, Status, Step
from provenance.lineage.places import located
from provenance.lineage.records import Followed, origin_of_record, read_leaf
from provenance.lineage.references import Reference
from provenance.lineage.tracing import follow
from provenance.lineage.traversal import Edge

__all__ = ["impact_of_record", "trace_record"]

_EXIT_STATUS: dict[DecisionName, int] = {"accepted": 0, "refused": 1, "undecided": 3}


def trace_record(path: Path, index: int, start: Reference, opened: Opened) -> Lineage:
    """Follow one record back; status, paths and decision are about it alone."""
    found = origin_of_record(path, index, start, opened)
    status = _status(found)
    findings: tuple[Finding, ...] = (*opened.findings, *found.findings)
    decision = outcome(findings)
    return Lineage(
        path=str(path),
        digest=start.sha256,
        status=status,
        paths=(_path(path, start, found, status, opened),),
        findings=findings,
        decision=decision,
        exit_status=_EXIT_STATUS[decision],
        record=found.record,
        traced=follow(start, opened.statements, opened.authority, max_depth=0),
        opened=opened,
    )


def _status(found: Followed) -> Status:
    if found.belief is None or found.record.proof is None:
        return "missing" if found.record.origin == "unknown" else "asserted"
    return "proven" if found.belief.accepted and outcome(found.findings) == "accepted" else "asserted"


def _path(path: Path, start: Reference, found: Followed, status: Status, opened: Opened) -> LineagePath:
    """The way of the record: through each data set to the batch."""
    steps = [Step(name=start.name, path=str(path), digest=start.sha256, status=status)]
    for edge in found.edges:
        belief = opened.authority.believe(edge.claim)
        steps.append(
            Step(
                name=edge.target.name,
                path=located(found.belief.claim, edge.target)
                if found.belief is not None
                else edge.target.name,
                digest=edge.target.sha256,
                status=status,
                kind=edge.claim.kind,
                role=edge.claim.inputs[edge.position].role,
                signer=belief.who,
                statement=edge.claim.where,
            )
        )
    return LineagePath(
        status=status,
        steps=tuple(steps),
        contributor=found.record.contributor,
        licence=found.belief.claim.licence if found.belief is not None else "",
        statement=found.record.statement,
        reason=next((each.message for each in found.findings if each.severity == "error"), ""),
    )


def impact_of_record(artifact: Path | None, index: int, start: Reference, opened: Opened) -> Impact:
    """Find everything that holds one record: data sets by their origins, and whatever was made from those."""
    if artifact is None:
        raise UsageError("a record is one of a file or directory", hint="name its path")
    read_leaf(artifact, index, start, None)
    held: dict[str, frozenset[int] | None] = {start.node: frozenset({index})}
    edges: dict[str, list[Edge]] = {}
    pending = [start]
    while pending:
        source = pending.pop()
        edges[source.node] = []
        for met in opened.statements.using([source]):
            rows = _rows(met, held[source.node], opened)
            if rows is not None and not rows:
                continue
            for subject in met.claim.subjects:
                edges[source.node].append(Edge(source, subject, met.claim, met.position))
                before = held.get(subject.node, frozenset())
                after = None if rows is None or before is None else before | rows
                if subject.node not in held or after != before:
                    held[subject.node] = after
                    pending.append(subject)
    return impact_of_edges(f"record {index} of {start.name}", start, edges, opened)


def _rows(met: Met, rows: frozenset[int] | None, opened: Opened) -> frozenset[int] | None:
    """Which records of the output hold one of these records of an input; None where that cannot be told."""
    if met.claim.claimed_signer:
        return frozenset()
    if rows is None or met.claim.kind != "curate" or not opened.authority.believe(met.claim).accepted:
        return None
    if met.claim.unknown_records:
        return None
    try:
        origins = read_origins(met.claim)
    except ProvenanceError:
        return None
    return frozenset().union(*(origins.of(met.position, row) for row in rows))
