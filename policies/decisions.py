"""From evidence to a decision: the policy's rules, applied."""

from __future__ import annotations

from datetime import datetime

import msgspec

from policies.evidence import Evidence
from policies.findings import DecisionName, Finding
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
    """Judge the evidence by the policy at the time ``now`` (with its zone)."""
    raise NotImplementedError
