"""What a rule is: the entry of a rule id in the one table of rules."""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["Outcome", "Rule", "Severity", "table"]

Severity = Literal["error", "warning", "note"]
Outcome = Literal["refuse", "undecided"]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule: what its errors lead to, a title, an explanation for people, and the usual next step."""

    id: str
    title: str
    explanation: str
    hint: str = ""
    severity: Severity = "error"
    outcome: Outcome = "refuse"


def table(*rules: Rule) -> dict[str, Rule]:
    """Index rules by id and refuse an id that is given twice."""
    found: dict[str, Rule] = {}
    for rule in rules:
        if rule.id in found:
            raise ValueError(f"rule {rule.id} is defined twice")
        found[rule.id] = rule
    return found
