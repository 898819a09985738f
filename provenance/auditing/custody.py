"""The chain of custody and the graph, from what a traversal found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from provenance.auditing.model import Custody, Edge, Node
from provenance.lineage.authority import Belief
from provenance.lineage.claims import REVOCATION
from provenance.lineage.tracing import Traced

__all__ = ["MOST_NODES", "custody_of", "graph_of"]

MOST_NODES: Final = 20_000


def custody_of(traced: Traced) -> tuple[Custody, ...]:
    """List who says what of each artifact, from the artifact in question back to its sources."""
    return tuple(_steps(traced))


def _steps(traced: Traced) -> Iterator[Custody]:
    for verdict in traced.verdicts.values():
        for belief in verdict.beliefs:
            if belief.claim.kind != REVOCATION:
                yield _step(belief, verdict.reference.name, verdict.reference.sha256)
        if not verdict.beliefs:
            yield Custody(
                artifact=verdict.reference.name,
                digest=verdict.reference.sha256,
                kind="",
                inputs=0,
                signer="",
                status="missing",
                statement="",
                note="no statement about it was found",
            )


def _step(belief: Belief, name: str, digest: str) -> Custody:
    claim, signer = belief.claim, belief.signer
    trusted = signer.time if signer is not None else None
    problem = belief.findings[0].message if belief.findings else ""
    return Custody(
        artifact=name,
        digest=digest,
        kind=claim.kind,
        inputs=len(claim.inputs),
        signer=belief.who,
        status="proven" if belief.accepted else "asserted",
        statement=claim.where,
        time=trusted or claim.created,
        trusted=trusted is not None,
        note=problem,
    )


def graph_of(traced: Traced) -> tuple[tuple[Node, ...], tuple[Edge, ...]]:
    """Number the artifacts as they were reached, and list every edge between them; so many nodes at most."""
    numbers: dict[str, int] = {}
    nodes: list[Node] = []
    problems = {end.digest: end.reason for end in traced.ends if end.status != "proven"}
    for node, visit in traced.walk.visits.items():
        verdict = traced.verdicts.get(node)
        if verdict is None or len(nodes) >= MOST_NODES:
            continue
        numbers[node] = len(nodes)
        contributor = next((each.member for each in verdict.beliefs if each.member), "")
        problem = verdict.findings[0].message if verdict.findings else ""
        nodes.append(
            Node(
                name=visit.reference.name or visit.reference.sha256[:12],
                digest=visit.reference.sha256,
                status=verdict.status,
                state=verdict.state,
                depth=visit.depth,
                contributor=contributor,
                problem=problem or problems.get(visit.reference.sha256, ""),
            )
        )
    edges = [
        Edge(
            numbers[edge.source.node],
            numbers[edge.target.node],
            edge.claim.kind,
            edge.claim.inputs[edge.position].role,
            edge.claim.signer[:19],
        )
        for verdict in traced.verdicts.values()
        for edge in verdict.edges
        if edge.source.node in numbers and edge.target.node in numbers
    ]
    return tuple(nodes), tuple(dict.fromkeys(edges))
