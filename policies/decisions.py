"""From evidence to a decision: the policy's rules, applied."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from policies.evidence import Evidence
from policies.findings import DecisionName, Finding, finding, outcome
from policies.judging import judge_coverage, judge_files, judge_lineage, judge_signatures
from policies.policy import Policy

__all__ = ["Decision", "decide"]

_EXIT_STATUS: dict[DecisionName, int] = {"accepted": 0, "refused": 1, "undecided": 3}


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A decision and the findings that led to it, in a fixed order."""

    decision: DecisionName
    findings: tuple[Finding, ...] = ()

    @property
    def exit_status(self) -> int:
        """The command's exit status: 0 accepted, 1 refused, 3 undecided."""
        return _EXIT_STATUS[self.decision]


def decide(policy: Policy, evidence: Evidence, *, now: datetime) -> Decision:
    """Judge the evidence by the policy at the time ``now``, which must carry its zone (else ValueError).

    The findings come in this order: the policy's own, those gathered about signatures and integrity (by path),
    the count and age of signatures, coverage, then each file by path, then lineage. The same evidence always
    gives the same decision with the same findings.
    """
    if now.tzinfo is None:
        raise ValueError("the time of a decision needs its zone")
    findings = tuple(_judge(policy, evidence, now))
    return Decision(decision=outcome(findings), findings=findings)


def _judge(policy: Policy, evidence: Evidence, now: datetime) -> Iterator[Finding]:
    """All findings, in their order."""
    yield from _judge_expiry(policy, now)
    yield from sorted(evidence.findings, key=lambda found: found.path)
    yield from judge_signatures(policy, evidence, now)
    yield from judge_coverage(policy.signatures, evidence)
    yield from judge_files(policy.formats, evidence.files)
    yield from judge_lineage(policy, evidence, now)


def _judge_expiry(policy: Policy, now: datetime) -> Iterator[Finding]:
    """POL001 from midnight (UTC) after the policy's last day on."""
    if policy.expires is not None and now.astimezone(UTC).date() > policy.expires:
        yield finding("POL001", f"the policy {policy.name} expired on {policy.expires.isoformat()}")
