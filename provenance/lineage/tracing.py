"""From a traversal to an answer: proven, asserted or missing, with every end of the lineage and the way to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final, Literal, NamedTuple

import msgspec

from policies import Finding, LineageEnd, finding
from provenance.lineage.authority import Authority, Belief
from provenance.lineage.claims import BROKEN, CONTRIBUTION, SIGNATURE, UNSIGNED, Claim
from provenance.lineage.index import Statements
from provenance.lineage.references import Reference
from provenance.lineage.traversal import Walk, walk
from provenance.lineage.upstream import DERIVATIONS, Upstream, Verdict

__all__ = ["Status", "Traced", "follow"]

Status = Literal["proven", "asserted", "missing"]
_WORST: Final[tuple[Status, ...]] = ("missing", "asserted", "proven")
_SHOWN: Final = 20


class Traced(NamedTuple):
    """What following an artifact upstream found."""

    start: Reference
    status: Status
    walk: Walk
    verdicts: dict[str, Verdict]
    ends: tuple[LineageEnd, ...]
    findings: tuple[Finding, ...]


def follow(start: Reference, statements: Statements, authority: Authority, *, max_depth: int) -> Traced:
    """Follow an artifact to its origins.

    The status is that of the worst artifact on the way. It is "proven" only where every way ends in a contribution or
    in an artifact that somebody accepted signed; a circle has no end, and what is deeper than ``max_depth`` is missing.
    """
    upstream = Upstream(statements, authority, [start])
    walked = walk([start], upstream.expand, max_depth=max_depth)
    verdicts = upstream.verdicts
    status = min((verdict.status for verdict in verdicts.values()), key=_WORST.index)
    # What is wrong with an artifact beyond what is said of it alone, by node.
    problems = {**_replayed(verdicts), **_too_deep(walked, max_depth)}
    if status == "proven" and not walked.cut and start.node not in _grounded(verdicts):
        said = f"{start.name} is said to be made from itself, and has no other origin"
        problems[start.node] = finding("LIN007", said)
    for found in problems.values():
        status = min(status, "asserted" if found.rule == "LIN013" else "missing", key=_WORST.index)
    findings = [*problems.values(), *_disagreeing(verdicts), *_wrong(verdicts, walked)]
    findings.extend(_unreadable(statements, authority, severe=status != "proven"))
    ends = tuple(_ends(walked, verdicts, problems))
    return Traced(start, status, walked, verdicts, ends, tuple(findings))


def _ends(walked: Walk, verdicts: dict[str, Verdict], problems: dict[str, Finding]) -> Iterator[LineageEnd]:
    """Every source, and every artifact about which not enough is known."""
    for node, verdict in verdicts.items():
        source = any(each.claim.kind in {CONTRIBUTION, SIGNATURE} for each in verdict.beliefs)
        if node in problems:
            found = problems[node]
            status: Status = "asserted" if found.rule == "LIN013" else "missing"
            end = _end(walked, node, verdict)
            yield msgspec.structs.replace(end, status=status, rule=found.rule, reason=found.message)
        elif verdict.status != "proven" or source or not verdict.edges:
            yield _end(walked, node, verdict)


def _end(walked: Walk, node: str, verdict: Verdict) -> LineageEnd:
    reference = verdict.reference
    contributions = [each for each in verdict.beliefs if each.claim.kind == CONTRIBUTION]
    by = contributions or list(verdict.beliefs)
    rule = reason = ""
    if verdict.state == "wrong":
        rule, reason = verdict.findings[0].rule, verdict.findings[0].message
    elif verdict.state == "asserted":
        reason = _asserted(reference, verdict)
    elif verdict.state == "unknown" and walked.visits[node].edge is None:
        reason = f"no signed statement tells what {_called(reference)} was made from"
    return LineageEnd(
        path=reference.name,
        status=verdict.status,
        digest=reference.sha256,
        dir_hash=reference.dir_hash,
        contributor=contributions[0].member or contributions[0].claim.contributor if contributions else "",
        licence=next((each.claim.licence for each in by if each.claim.licence), ""),
        vouchers=_vouchers(by),
        via=tuple(visit.reference.name for visit in walked.path(node)),
        rule=rule,
        reason=reason,
    )


def _called(reference: Reference) -> str:
    return reference.name or reference.sha256[:12]


def _asserted(reference: Reference, verdict: Verdict) -> str:
    """Say who says something of an artifact, and that it is no proof."""
    named = _called(reference)
    if not reference.sha256:
        return f"{named} is known by its name alone"
    signed = [each.claim.where for each in verdict.beliefs if each.claim.kind != UNSIGNED]
    if signed:
        return f"{named} is signed for by nobody who is accepted ({signed[0]})"
    return f"the sources of {named} are noted in {verdict.beliefs[0].claim.where}, which nobody signed"


def _vouchers(beliefs: Iterable[Belief]) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for each in beliefs:
        if each.accepted and each.signer is not None:
            for name in (each.member, each.signer.identity, each.signer.name, each.signer.fingerprint):
                if name:
                    names[name] = None
    return tuple(names)


def _wrong(verdicts: dict[str, Verdict], walked: Walk) -> Iterator[Finding]:
    """What somebody known signed and does not stand: a warning where others vouch for the same artifact."""
    for node, verdict in verdicts.items():
        way = " <- ".join(visit.reference.name for visit in walked.path(node)) if verdict.findings else ""
        severe = verdict.state == "wrong"
        for found in verdict.findings:
            yield msgspec.structs.replace(found, severity="error" if severe else "warning", where=way)


def _unreadable(statements: Statements, authority: Authority, *, severe: bool) -> Iterator[Finding]:
    """Bundles that are broken or forged; where something is missing, they may be just what is."""
    found: list[Claim] = [*statements.of_kind(BROKEN), *statements.forged()]
    for claim in found[:_SHOWN]:
        belief = authority.believe(claim)
        message = claim.problem or (belief.findings[0].message if belief.findings else "")
        if message:
            yield finding("LIN003", message, path=claim.where, severity="error" if severe else "warning")
    if len(found) > _SHOWN:
        yield finding(
            "LIN003",
            f"and {len(found) - _SHOWN:,} more bundles like these",
            severity="error" if severe else "warning",
        )


def _too_deep(walked: Walk, max_depth: int) -> dict[str, Finding]:
    found = {}
    for node in sorted(walked.cut):
        way = [visit.reference.name for visit in walked.path(node)]
        message = f"{way[-1]} has inputs of its own, {max_depth} steps away"
        found[node] = finding("LIN006", message, where=" <- ".join(way))
    return found


def _replayed(verdicts: dict[str, Verdict]) -> dict[str, Finding]:
    """The contributions to one round that an aggregate of another holds."""
    found = {}
    for verdict in verdicts.values():
        for edge in verdict.edges:
            if edge.claim.kind != "aggregate" or not edge.claim.round:
                continue
            source = verdicts.get(edge.target.node)
            beliefs = source.beliefs if source is not None else ()
            contributed = {each.claim.round for each in beliefs if each.claim.kind == CONTRIBUTION} - {""}
            if contributed and edge.claim.round not in contributed:
                said = f"{edge.target.name} was made for {', '.join(sorted(contributed))}, not {edge.claim.round}"
                found[edge.target.node] = finding("LIN013", said, path=edge.claim.where)
    return found


def _disagreeing(verdicts: dict[str, Verdict]) -> Iterator[Finding]:
    for verdict in verdicts.values():
        if verdict.state != "derived":
            continue
        told = [each.claim for each in verdict.beliefs if each.claim.kind in DERIVATIONS]
        inputs = {frozenset(each.reference.node for each in claim.inputs) for claim in told}
        if len(inputs) > 1:
            notes = tuple(claim.where for claim in told[:_SHOWN])
            message = f"{len(told)} statements name different inputs of {verdict.reference.name}"
            yield finding("LIN008", message, notes=notes)


def _grounded(verdicts: dict[str, Verdict]) -> set[str]:
    """The artifacts that have an origin: sources, and whatever some statement makes from such alone."""
    grounded: set[str] = set()
    waiting: dict[str, list[tuple[str, int]]] = {}
    needed: list[int] = []
    ready: deque[str] = deque()
    for node, verdict in verdicts.items():
        by_claim: dict[tuple[str, str], set[str]] = {}
        for edge in verdict.edges:
            by_claim.setdefault((edge.claim.where, edge.claim.statement), set()).add(edge.target.node)
        source = any(
            each.claim.kind in {CONTRIBUTION, SIGNATURE}
            and (each.claim.where, each.claim.statement) not in by_claim
            for each in verdict.beliefs
        )
        if source:
            ready.append(node)
        for targets in by_claim.values():
            needed.append(len(targets))
            for target in targets:
                waiting.setdefault(target, []).append((node, len(needed) - 1))
    while ready:
        node = ready.popleft()
        if node in grounded:
            continue
        grounded.add(node)
        for waiter, number in waiting.get(node, ()):
            needed[number] -= 1
            if not needed[number]:
                ready.append(waiter)
    return grounded
