"""The paths of an answer: from the artifact to each of its ends, step by step, with who says so."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final, Literal

import msgspec

from policies import LineageEnd
from provenance.lineage.authority import Authority
from provenance.lineage.places import located
from provenance.lineage.tracing import Traced
from provenance.lineage.traversal import Visit
from provenance.lineage.upstream import Verdict

__all__ = ["MOST_PATHS", "LineagePath", "Step", "paths_to_ends"]

MOST_PATHS: Final = 10_000
Status = Literal["proven", "asserted", "missing"]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact on a path, and how the one before it was made from it.

    ``kind`` is the kind of derivation, ``role`` what this one was in it, ``signer`` who says so in the bundle
    ``statement``; all empty for the first step. ``path`` is where it lies, or its name where that is not known.
    """

    name: str
    path: str
    digest: str
    status: Status
    kind: str = ""
    role: str = ""
    signer: str = ""
    statement: str = ""


class LineagePath(msgspec.Struct, frozen=True, kw_only=True):
    """A way from the artifact to one end; its status is that of its worst step. ``reason``: why it is not proven."""

    status: Status
    steps: tuple[Step, ...]
    contributor: str = ""
    licence: str = ""
    vouchers: tuple[str, ...] = ()
    statement: str = ""
    reason: str = ""


def paths_to_ends(traced: Traced, authority: Authority) -> tuple[LineagePath, ...]:
    """Return a shortest path to each end, in the order in which the ends were reached; so many at most."""
    ends = {(end.digest, end.dir_hash, end.path): end for end in traced.ends}
    return tuple(islice(_paths(traced, authority, ends), MOST_PATHS))


def _paths(
    traced: Traced, authority: Authority, ends: dict[tuple[str, str, str], LineageEnd]
) -> Iterator[LineagePath]:
    for node, verdict in traced.verdicts.items():
        reference = verdict.reference
        end = ends.get((reference.sha256, reference.dir_hash, reference.name))
        if end is None:
            continue
        visits = traced.walk.path(node)
        steps = tuple(_step(visit, traced, authority) for visit in visits)
        yield LineagePath(
            status=_worst(steps),
            steps=steps,
            contributor=end.contributor,
            licence=end.licence,
            vouchers=end.vouchers,
            statement=verdict.beliefs[0].claim.where if verdict.beliefs else "",
            reason=end.reason,
        )


def _worst(steps: tuple[Step, ...]) -> Status:
    found = {step.status for step in steps}
    return "missing" if "missing" in found else "asserted" if "asserted" in found else "proven"


def _step(visit: Visit, traced: Traced, authority: Authority) -> Step:
    reference, edge = visit.reference, visit.edge
    verdict: Verdict = traced.verdicts[reference.node]
    place = located(verdict.beliefs[0].claim, reference) if verdict.beliefs else reference.name
    told = {}
    if edge is not None:
        told = {
            "kind": edge.claim.kind,
            "role": edge.claim.inputs[edge.position].role,
            "signer": authority.believe(edge.claim).who,
            "statement": edge.claim.where,
        }
    return Step(name=reference.name, path=place, digest=reference.sha256, status=verdict.status, **told)
