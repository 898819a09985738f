"""The neighbourhood of an artifact: some steps against the stream and some with it, as two trees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path

import msgspec

from policies import Finding
from provenance.artifacts.reading import Progress
from provenance.lineage.authority import Authority
from provenance.lineage.downstream import Downstream
from provenance.lineage.opening import AnyPath, moment, open_lineage, paths_of, trust_in
from provenance.lineage.places import located
from provenance.lineage.references import reference_to
from provenance.lineage.subjects import subject_of
from provenance.lineage.tracing import follow
from provenance.lineage.traversal import Visit, Walk, walk
from provenance.lineage.upstream import Upstream
from provenance.signing.keys import PublicKey

__all__ = ["Neighbour", "Neighbourhood", "neighbourhood"]


class Neighbour(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact near the one in question; ``parent`` is the index of the one that it was reached from, -1 for that.

    ``kind``, ``role``, ``signer`` and ``statement`` tell of the derivation in between.
    """

    name: str
    path: str
    digest: str
    status: str
    parent: int
    kind: str
    role: str
    signer: str
    statement: str


class Neighbourhood(msgspec.Struct, frozen=True, kw_only=True):
    """What an artifact was made from (``sources``) and what was made from it (``products``), nearest first."""

    name: str
    path: str
    digest: str
    status: str
    sources: tuple[Neighbour, ...]
    products: tuple[Neighbour, ...]
    findings: tuple[Finding, ...] = ()


def neighbourhood(  # noqa: PLR0913 (the options of the command)
    path: AnyPath,
    *,
    store: AnyPath | Iterable[AnyPath] = (),
    keys: AnyPath | PublicKey | Iterable[AnyPath | PublicKey] = (),
    roster: AnyPath | None = None,
    roster_keys: Iterable[AnyPath | PublicKey] = (),
    as_of: datetime | date | str | None = None,
    max_depth: int = 1,
    progress: Progress | None = None,
) -> Neighbourhood:
    """Look around an artifact, so many steps each way; raises as ``trace`` does."""
    path = Path(path)
    opened = open_lineage(
        path,
        stores=paths_of(store),
        trust=trust_in(keys),
        roster=roster,
        roster_keys=roster_keys,
        now=moment(as_of),
    )
    start = reference_to(subject_of(path, progress=progress))
    authority = opened.authority
    up = follow(start, opened.statements, authority, max_depth=max_depth)
    down = walk([start], Downstream(opened.statements, authority).expand, max_depth=max_depth)
    upstream = Upstream(opened.statements, authority, [])
    list(upstream.expand([visit.reference for visit in down.visits.values()]))
    products = {node: verdict.status for node, verdict in upstream.verdicts.items()}
    return Neighbourhood(
        name=start.name,
        path=str(path),
        digest=start.sha256,
        status=up.status if not up.walk.cut else up.verdicts[start.node].status,
        sources=tuple(
            _neighbours(up.walk, {node: each.status for node, each in up.verdicts.items()}, authority)
        ),
        products=tuple(_neighbours(down, products, authority)),
        findings=opened.findings,
    )


def _neighbours(walked: Walk, statuses: Mapping[str, str], authority: Authority) -> Iterator[Neighbour]:
    numbers: dict[str, int] = {}
    for node, visit in walked.visits.items():
        numbers[node] = len(numbers) - 1
        if visit.edge is not None:
            yield _neighbour(visit, statuses[node], numbers[visit.edge.source.node], authority)


def _neighbour(visit: Visit, status: str, parent: int, authority: Authority) -> Neighbour:
    edge, reference = visit.edge, visit.reference
    assert edge is not None
    return Neighbour(
        name=reference.name,
        path=located(edge.claim, reference),
        digest=reference.sha256,
        status=status,
        parent=parent,
        kind=edge.claim.kind,
        role=edge.claim.inputs[edge.position].role,
        signer=authority.believe(edge.claim).who,
        statement=edge.claim.where,
    )
