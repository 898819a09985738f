"""The ground floor: findings, rules, evidence, policies and decisions; knows no cryptography and no files."""

from __future__ import annotations

from policies.findings import DecisionName, Finding, finding, outcome
from policies.rules import RULES, Rule, Severity

__all__ = ["RULES", "DecisionName", "Finding", "Rule", "Severity", "finding", "outcome"]
