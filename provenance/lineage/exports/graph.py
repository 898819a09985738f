"""What every export is given: artifacts by number, and the steps by which one was made from others."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, Literal

import msgspec

from provenance.lineage.claims import CONTRIBUTION
from provenance.lineage.tracing import Traced
from provenance.lineage.upstream import Verdict

__all__ = ["NAMESPACE", "Artifact", "ExportGraph", "Making", "export_graph", "identifier"]

NAMESPACE: Final = "https://ml-provenance.readthedocs.io/lineage/"
ArtifactKind = Literal["model", "data"]
_MODELS: Final = frozenset({"train", "fine-tune", "merge", "convert", "aggregate"})
_MODEL_ROLES: Final = frozenset({"base", "model", "update", "teacher", "checkpoint"})


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact: ``digest`` is its root digest in hex ("" where it goes by its name), ``status`` as traced."""

    name: str
    digest: str
    kind: ArtifactKind
    status: str
    contributor: str = ""
    licence: str = ""
    file_sha256: str = ""


class Making(msgspec.Struct, frozen=True, kw_only=True):
    """One statement: the artifact (a number) that was made, from which inputs in which roles, and who says so."""

    output: int
    inputs: tuple[tuple[int, str], ...]
    kind: str
    signer: str
    statement: str
    time: datetime | None = None


class ExportGraph(msgspec.Struct, frozen=True, kw_only=True):
    """The whole; ``artifacts[0]`` is the one in question. ``made`` is when the export was asked for."""

    artifacts: tuple[Artifact, ...]
    makings: tuple[Making, ...]
    status: str
    made: datetime


def export_graph(traced: Traced, *, made: datetime | None = None) -> ExportGraph:
    """Take from a traversal what exports need."""
    nodes = [node for node in traced.walk.visits if node in traced.verdicts]
    numbers = {node: number for number, node in enumerate(nodes)}
    makings = tuple(making for node in nodes for making in _makings(traced.verdicts[node], numbers))
    roles = {number: role for making in makings for number, role in making.inputs}
    artifacts = tuple(_artifact(traced.verdicts[node], roles.get(numbers[node], "")) for node in nodes)
    return ExportGraph(
        artifacts=artifacts, makings=makings, status=traced.status, made=made or datetime.now(UTC)
    )


def identifier(graph: ExportGraph, what: str) -> str:
    """Return a UUID that is the same for the same artifact and purpose."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{NAMESPACE}{graph.artifacts[0].digest}/{what}"))


def _artifact(verdict: Verdict, role: str) -> Artifact:
    reference = verdict.reference
    kinds = {belief.claim.kind for belief in verdict.beliefs}
    rounds = any(belief.claim.round for belief in verdict.beliefs)
    model = bool(kinds & _MODELS) or role in _MODEL_ROLES or rounds
    given = [belief for belief in verdict.beliefs if belief.claim.kind == CONTRIBUTION]
    return Artifact(
        name=reference.name or reference.sha256[:12],
        digest=reference.sha256,
        kind="model" if model else "data",
        status=verdict.status,
        contributor=next((each.member or each.claim.contributor for each in given), ""),
        licence=next((each.claim.licence for each in given if each.claim.licence), ""),
        file_sha256=reference.file_sha256,
    )


def _makings(verdict: Verdict, numbers: dict[str, int]) -> Iterator[Making]:
    """Put the edges of one statement together again."""
    inputs: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for edge in verdict.edges:
        if edge.target.node in numbers and edge.source.node in numbers:
            role = edge.claim.inputs[edge.position].role
            inputs.setdefault((edge.claim.where, edge.claim.statement), []).append(
                (numbers[edge.target.node], role)
            )
    for belief in verdict.beliefs:
        found = inputs.pop((belief.claim.where, belief.claim.statement), [])
        if found and verdict.reference.node in numbers:
            yield Making(
                output=numbers[verdict.reference.node],
                inputs=tuple(dict.fromkeys(found)),
                kind=belief.claim.kind,
                signer=belief.who,
                statement=belief.claim.statement or belief.claim.where,
                time=belief.signer.time if belief.signer and belief.signer.time else belief.claim.created,
            )
