"""The verb ``audit``: verify an artifact by a policy, follow its lineage, and lay out all that can be shown."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path

from policies import Finding, Policy
from provenance.auditing.aggregations import aggregations_of
from provenance.auditing.appendix import appendix
from provenance.auditing.custody import custody_of, graph_of
from provenance.auditing.model import Audit
from provenance.auditing.people import people_of
from provenance.lineage.opening import Opened, open_lineage, paths_of
from provenance.lineage.references import reference_to
from provenance.lineage.subjects import subject_of
from provenance.lineage.tracing import Traced, follow
from provenance.signing.trust import trust_from
from provenance.verification import Verification, settle_policy, verify

__all__ = ["audit"]

AnyPath = str | PathLike[str]


def audit(
    path: AnyPath,
    *,
    policy: str | Path | Policy,
    store: AnyPath | Iterable[AnyPath] = (),
    roster: AnyPath | None = None,
    roster_keys: Iterable[AnyPath] = (),
    signature: AnyPath | None = None,
    now: datetime | None = None,
) -> Audit:
    """Audit an artifact: the verdict of the policy first, then contributors, sources, custody and gaps.

    The lineage is followed whether the policy asks for it or not; what it shows leads to errors only where the policy
    asks. No network is used. Returns an ``Audit`` whatever the verdict; raises as ``verify`` and ``trace`` do.
    """
    rules = settle_policy(policy)
    moment = now or datetime.now(UTC)
    roster_keys = tuple(roster_keys)
    check = verify(
        path,
        policy=rules,
        store=store,
        roster=roster,
        roster_keys=roster_keys,
        signature=signature,
        now=moment,
    )
    named = roster or rules.contributors.roster or None
    opened = open_lineage(
        Path(path),
        stores=paths_of(store),
        trust=trust_from(rules),
        roster=named,
        roster_keys=roster_keys or rules.contributors.roster_keys,
        now=moment,
        members_only=rules.contributors.required,
    )
    start = reference_to(subject_of(path))
    traced = follow(start, opened.statements, opened.authority, max_depth=rules.lineage.max_depth)
    return _laid_out(str(path), check, traced, opened, moment, str(named or ""))


def _laid_out(
    path: str, check: Verification, traced: Traced, opened: Opened, moment: datetime, roster: str
) -> Audit:
    aggregations = aggregations_of(traced)
    people = people_of(traced, opened.authority.roster, aggregations)
    custody = custody_of(traced)
    nodes, edges = graph_of(traced)
    findings = (*check.findings, *_new(traced.findings, check.findings))
    return Audit(
        subject=path,
        digest=traced.start.sha256,
        policy=check.policy,
        decision=check.decision,
        findings=findings,
        status=traced.status,
        made=moment,
        signers=check.signers,
        people=people,
        sources=traced.ends,
        custody=custody,
        aggregations=aggregations,
        evidence=appendix(traced.status, traced.ends, custody, people, aggregations),
        nodes=nodes,
        edges=edges,
        checked_files=check.checked_files,
        checked_bytes=check.checked_bytes,
        roster=roster,
    )


def _new(found: Iterable[Finding], known: Iterable[Finding]) -> Iterable[Finding]:
    """What the lineage shows beyond what the policy asked: remarks, which change no verdict."""
    from msgspec.structs import replace

    said = {(each.rule, each.message) for each in known}
    for each in found:
        if (each.rule, each.message) not in said:
            yield replace(each, severity="warning" if each.severity == "error" else each.severity)
