"""The audit for people at a terminal and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cli.rendering.report import Report

if TYPE_CHECKING:
    from policies import LineageEnd
    from provenance.auditing.model import Audit, Custody, Person

__all__ = ["audit_report"]

_SHOWN = 40


def audit_report(found: Audit) -> Report:
    """Turn an audit into a report."""
    import msgspec

    details: dict[str, Any] = {
        "status": found.status,
        "digest": found.digest,
        "roster": found.roster,
        "made": found.made.isoformat(),
        "contributors": msgspec.to_builtins(found.people),
        "sources": msgspec.to_builtins(found.sources),
        "custody": msgspec.to_builtins(found.custody),
        "aggregations": msgspec.to_builtins(found.aggregations),
        "evidence": msgspec.to_builtins(found.evidence),
        "graph": {"nodes": msgspec.to_builtins(found.nodes), "edges": msgspec.to_builtins(found.edges)},
    }
    return Report(
        command="audit",
        subject=found.subject,
        decision=found.decision,
        exit_status=found.exit_status,
        findings=found.findings,
        policy=found.policy,
        checked_files=found.checked_files,
        checked_bytes=found.checked_bytes,
        signers=found.signers,
        details=details,
        lines=tuple(_lines(found)),
    )


def _lines(found: Audit) -> Iterator[str]:
    counts = ", ".join(f"{found.count(word)} {word}" for word in ("proven", "asserted", "missing"))
    yield f"lineage: {found.status} ({len(found.nodes)} artifacts: {counts})"
    yield from _listed("contributors", [_person(each) for each in found.people])
    yield from _listed("sources", [_source(each) for each in found.sources])
    yield from _listed("chain of custody", [_step(each) for each in found.custody])
    for each in found.aggregations:
        kappa = (each.guarantee or {}).get("kappa")
        known = f"kappa {kappa:.3g}" if isinstance(kappa, int | float) else "no constant known"
        yield f"round {each.round}: {each.rule} for {each.faulty} faulty of {len(each.parts)}, {known}"
    yield from _listed(
        "evidence that the EU AI Act asks for",
        [f"article {each.article}, {each.asks}: {each.status} ({each.shown})" for each in found.evidence],
    )


def _listed(title: str, lines: list[str]) -> Iterator[str]:
    yield f"{title}:" if lines else f"{title}: none"
    yield from (f"  {line}" for line in lines[:_SHOWN])
    if len(lines) > _SHOWN:
        yield f"  and {len(lines) - _SHOWN} more; `--format json` lists all of them"


def _person(each: Person) -> str:
    gave = [f"{each.records:,} records"] if each.records else []
    gave += [f"{each.updates} updates"] if each.updates else []
    share = "" if each.share is None else f", {100 * each.share:.1f} %"
    right = "" if each.voting_right is None else f", voting right {each.voting_right:g}"
    tainted = ", TAINTED" if each.tainted else ""
    return f"{each.id}: {' and '.join(gave) or 'a contribution'}{share}{right}, {each.standing}{tainted}"


def _source(end: LineageEnd) -> str:
    reason = f"  ({end.reason})" if end.reason else ""
    return f"{end.path}  {end.status}  {end.licence or 'no licence stated'}{reason}"


def _step(each: Custody) -> str:
    if not each.kind:
        return f"{each.artifact}: {each.note}"
    when = "" if each.time is None else f", {each.time:%Y-%m-%d}" + ("" if each.trusted else " (claimed)")
    of = f" of {each.inputs} inputs" if each.inputs else ""
    note = f": {each.note}" if each.note else ""
    return f"{each.artifact}: {each.kind}{of} by {each.signer}{when}, {each.status}{note}"
