"""A finding: one thing that a check found, where, and what to do about it."""

from __future__ import annotations

from typing import Literal

import msgspec

from policies.rules import RULES, Severity

__all__ = ["DecisionName", "Finding", "finding", "outcome"]

DecisionName = Literal["accepted", "refused", "undecided"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One finding: a stable rule id, how bad, which file, which place in it, one sentence, the next step."""

    rule: str
    severity: Severity
    message: str
    path: str = ""
    where: str = ""
    hint: str = ""
    notes: tuple[str, ...] = ()


def finding(
    rule: str,
    message: str,
    *,
    path: str = "",
    where: str = "",
    hint: str = "",
    notes: tuple[str, ...] = (),
    severity: Severity | None = None,
) -> Finding:
    """Make a finding of a known rule, with the rule's own severity and hint unless others are given."""
    known = RULES[rule]
    return Finding(
        rule=rule,
        severity=severity or known.severity,
        message=message,
        path=path,
        where=where,
        hint=hint or known.hint,
        notes=notes,
    )


def outcome(findings: tuple[Finding, ...] | list[Finding]) -> DecisionName:
    """Turn findings into a decision: one refusing error refuses, else one open question leaves it undecided.

    An error of a rule that is not in the table refuses.
    """
    errors = {found.rule for found in findings if found.severity == "error"}
    outcomes = {RULES[rule].outcome if rule in RULES else "refuse" for rule in errors}
    if "refuse" in outcomes:
        return "refused"
    return "undecided" if outcomes else "accepted"
