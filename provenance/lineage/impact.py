"""The verb ``impact``: everything that holds something of a contributor, a key, a batch, a record or an artifact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Final

import msgspec

from policies import Finding
from provenance.errors import UsageError
from provenance.garbage import uncollected
from provenance.lineage.authority import Authority
from provenance.lineage.claims import BROKEN, REVOCATION, Claim
from provenance.lineage.downstream import Downstream
from provenance.lineage.opening import AnyPath, Opened, moment, open_lineage, paths_of, trust_in
from provenance.lineage.places import Exists, Listings, located
from provenance.lineage.references import Reference, reference_to
from provenance.lineage.subjects import subject_of
from provenance.lineage.traversal import Edge, Expand, Visit, reach
from provenance.signing.keys import PublicKey, fingerprint, load_public_key

__all__ = ["Impact", "Tainted", "impact", "impact_of_contributor", "impact_of_edges", "impact_of_reference"]

_UNBOUNDED: Final = 2**62
_DIGEST: Final = "sha256:"
_LONGEST_WAY: Final = 64


class Tainted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An artifact that holds something of what was asked about.

    ``via`` names the artifacts from where it starts to this one. ``path`` is where it lies, or its name. ``certain``:
    whether accepted signers alone say so.
    """

    path: str
    name: str
    digest: str
    via: tuple[str, ...]
    certain: bool


class Impact(msgspec.Struct, frozen=True, kw_only=True):
    """What is tainted, in the order of its distance; ``asked`` says by what."""

    asked: str
    tainted: tuple[Tainted, ...]
    findings: tuple[Finding, ...] = ()


def impact(  # noqa: PLR0913 (the options of the command)
    path: AnyPath | None = None,
    *,
    contributor: str = "",
    revoked_key: AnyPath | PublicKey | None = None,
    record: int | None = None,
    store: AnyPath | Iterable[AnyPath] = (),
    keys: AnyPath | PublicKey | Iterable[AnyPath | PublicKey] = (),
    roster: AnyPath | None = None,
    roster_keys: Iterable[AnyPath | PublicKey] = (),
    as_of: datetime | date | str | None = None,
    max_depth: int = _UNBOUNDED,
) -> Impact:
    """Find everything in the stores that holds something of one artifact, contributor or key.

    ``path`` is a file, a directory, or ``sha256:`` with a root digest; ``record`` narrows it to one of its records.
    Raises ``UsageError`` unless exactly one of the three is given, and what ``trace`` raises.
    """
    if (path is None) + (not contributor) + (revoked_key is None) != 2:
        raise UsageError(
            "name one thing whose impact is asked for",
            hint="a PATH, --contributor ID, or --revoked-key PUB",
        )
    key = load_public_key(Path(revoked_key)) if isinstance(revoked_key, str | Path) else revoked_key
    artifact = None if path is None or str(path).startswith(_DIGEST) else Path(path)
    opened = open_lineage(
        artifact,
        stores=paths_of(store),
        trust=trust_in(keys),
        roster=roster,
        roster_keys=roster_keys,
        now=moment(as_of),
        more_keys=() if key is None else (key,),  # type: ignore[arg-type]
    )
    if key is not None:
        mark = fingerprint(key)  # type: ignore[arg-type]
        return _impact(f"the key {mark}", _subjects(opened.statements.by_signer(mark)), opened, max_depth)
    if contributor:
        return impact_of_contributor(contributor, opened, max_depth=max_depth)
    start = reference_to(subject_of(artifact)) if artifact is not None else _digest(str(path), opened)
    if record is not None:
        from provenance.lineage.record_tracing import impact_of_record

        return impact_of_record(artifact, record, start, opened)
    return impact_of_reference(start, opened, max_depth=max_depth)


def impact_of_contributor(contributor: str, opened: Opened, *, max_depth: int = _UNBOUNDED) -> Impact:
    """Find everything that holds something of one contributor."""
    claims = _claims_of(contributor, opened)
    return _impact(f"the contributor {contributor}", _subjects(claims), opened, max_depth)


def impact_of_reference(start: Reference, opened: Opened, *, max_depth: int = _UNBOUNDED) -> Impact:
    """Find everything that holds something of one artifact."""
    return _impact(start.name or f"{_DIGEST}{start.sha256}", [start], opened, max_depth)


def impact_of_edges(asked: str, start: Reference, edges: dict[str, list[Edge]], opened: Opened) -> Impact:
    """Find what some edges lead to, given by the node that each leads from."""

    def expand(level: Sequence[Reference]) -> list[Edge]:
        return [edge for each in level for edge in edges.get(each.node, ())]

    return _reached(asked, [start], expand, opened, _UNBOUNDED)


def _digest(text: str, opened: Opened) -> Reference:
    digest = text.removeprefix(_DIGEST)
    if len(digest) != 64 or not set("0123456789abcdef").issuperset(digest):
        raise UsageError(f"{text} is no digest", hint="`provenance digest PATH` prints it")
    bare = Reference(digest, "", digest, bare=True, name=text[:19])
    known = opened.statements.about([bare])
    return known[0].claim.subjects[known[0].position] if known else bare


def _claims_of(contributor: str, opened: Opened) -> list[Claim]:
    """What a contributor gave, by the name in it or by the key that signed it; not what another one signed."""
    roster = opened.authority.roster
    member = roster.contributor(contributor) if roster is not None else None
    marks = [key.fingerprint for key in member.keys] if member is not None else []
    claims = [claim for mark in marks for claim in opened.statements.by_signer(mark)]
    for claim in opened.statements.by_contributor(contributor):
        owner = roster.contributor_of(claim.signer) if roster is not None and claim.signer else None
        if not claim.claimed_signer and (owner is None or owner.id == contributor):
            claims.append(claim)
    return claims


def _subjects(claims: Iterable[Claim]) -> list[Reference]:
    return [
        subject for claim in claims if claim.kind not in {REVOCATION, BROKEN} for subject in claim.subjects
    ]


def _impact(asked: str, starts: Sequence[Reference], opened: Opened, max_depth: int) -> Impact:
    downstream = Downstream(opened.statements, opened.authority)
    return _reached(asked, starts, downstream.expand, opened, max_depth)


@uncollected()
def _reached(
    asked: str, starts: Sequence[Reference], expand: Expand, opened: Opened, max_depth: int
) -> Impact:
    """Tell of each artifact as soon as it is reached."""
    about = {met.asked.node: met.claim for met in reversed(opened.statements.about(starts))}
    holds = Listings().exists
    found: dict[str, Tainted] = {}
    for node, visit in reach(starts, expand, max_depth=max_depth):
        before = found[visit.edge.source.node] if visit.edge is not None else None
        found[node] = _tainted(visit, before, about.get(node), opened.authority, holds)
    return Impact(asked=asked, tainted=tuple(found.values()), findings=opened.findings)


def _tainted(
    visit: Visit, before: Tainted | None, about: Claim | None, authority: Authority, holds: Exists
) -> Tainted:
    """Tell of one artifact, by what its edge leads from, or by a claim ``about`` it where there is no edge."""
    reference, claim = visit.reference, about if visit.edge is None else visit.edge.claim
    return Tainted(
        path=located(claim, reference, holds) if claim is not None else reference.name,
        name=reference.name,
        digest=reference.sha256,
        via=(reference.name,) if before is None else (*_shortened(before.via), reference.name),
        certain=visit.edge is None
        or (before is not None and before.certain and authority.believe(visit.edge.claim).accepted),
    )


def _shortened(way: tuple[str, ...]) -> tuple[str, ...]:
    """Keep the ends of a way that is too long to be read."""
    half = _LONGEST_WAY // 2
    return way if len(way) < _LONGEST_WAY else (*way[:half], "…", *way[-half:])
