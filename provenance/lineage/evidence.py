"""What a policy is told of an artifact's lineage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from policies import Finding, LineageEnd, LineageStatus, Policy, finding
from provenance.attestations.statement import Subject
from provenance.errors import ProvenanceError
from provenance.lineage.opening import open_lineage
from provenance.lineage.references import reference_to
from provenance.lineage.tracing import follow
from provenance.signing.trust import Trust

__all__ = ["LineageEvidence", "lineage_evidence"]


class LineageEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """The status, every end, and what is wrong; "unasked" where the policy does not ask."""

    status: LineageStatus = "unasked"
    ends: tuple[LineageEnd, ...] = ()
    findings: tuple[Finding, ...] = ()


def lineage_evidence(  # noqa: PLR0913 (what the verbs are told)
    path: Path,
    subject: Subject,
    policy: Policy,
    trust: Trust,
    *,
    stores: Sequence[Path],
    roster: Path | None,
    roster_keys: Sequence[Path],
    now: datetime,
) -> LineageEvidence:
    """Follow an artifact as far as a policy asks, by the word of the signers that it accepts and of its roster.

    A ``roster`` that is given takes the place of the policy's; its keys are those given, else the policy's, else those
    of the accepted signers. What keeps the question from being answered is among the findings.
    """
    named = policy.contributors.roster
    try:
        opened = open_lineage(
            path,
            stores=stores,
            trust=trust,
            roster=roster or (Path(named) if named else None),
            roster_keys=roster_keys or tuple(map(Path, policy.contributors.roster_keys)),
            now=now,
            members_only=policy.contributors.required,
        )
        traced = follow(
            reference_to(subject), opened.statements, opened.authority, max_depth=policy.lineage.max_depth
        )
    except ProvenanceError as error:
        if not error.code:
            raise
        problem = finding(error.code, error.message, hint=error.hint)
        return LineageEvidence(status="missing", findings=(problem,))
    return LineageEvidence(
        status=traced.status, ends=traced.ends, findings=(*opened.findings, *traced.findings)
    )
