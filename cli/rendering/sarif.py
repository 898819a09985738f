"""SARIF 2.1.0 for code scanning services (OASIS, https://docs.oasis-open.org/sarif/sarif/v2.1.0/).

Model files have no lines: a result points at line 1 of its file, and the place inside the file (bytes, a tensor,
a member) is a logical location.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

from cli.rendering.escape import escape
from cli.rendering.json import dump
from cli.rendering.places import relative_path, uri
from cli.rendering.report import Report
from cli.rendering.wording import count, verdict
from cli.version import DOCUMENTATION, version
from policies import RULES, Finding, Rule

__all__ = ["MOST_RESULTS", "render"]

MOST_RESULTS = 25_000  # GitHub refuses a run with more

_GRAVEST_FIRST = {"error": 0, "warning": 1, "note": 2}


def render(report: Report) -> str:
    """Write a report as one SARIF log with one run."""
    findings = sorted(report.findings, key=lambda found: _GRAVEST_FIRST[found.severity])
    kept, left_out = findings[:MOST_RESULTS], len(findings) - MOST_RESULTS
    rules = sorted({found.rule for found in kept})
    driver = {
        "name": "provenance",
        "semanticVersion": version(),
        "informationUri": DOCUMENTATION,
        "rules": [_rule(RULES[rule]) for rule in rules],
    }
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"provenance/{report.command}/"},
        "invocations": [_invocation(report, left_out)],
        "results": _results(report, kept, rules),
        "properties": {"decision": report.decision},
    }
    schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
    return dump({"$schema": schema, "version": "2.1.0", "runs": [run]})


def _rule(rule: Rule) -> dict[str, Any]:
    help_text = f"{rule.explanation}\n\nWhat to do: {rule.hint}." if rule.hint else rule.explanation
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.explanation},
        "help": {"text": help_text},
        "helpUri": f"{DOCUMENTATION}rules/#{rule.id.lower()}",
        "defaultConfiguration": {"level": rule.severity},
        "properties": {"security-severity": _security_severity(rule), "tags": ["security", "supply-chain"]},
    }


def _security_severity(rule: Rule) -> str:
    """Rank a rule on GitHub's scale, where from 7.0 is high, from 4.0 medium, below low."""
    if rule.severity == "error":
        return "8.0" if rule.outcome == "refuse" else "5.0"
    return "3.0" if rule.severity == "warning" else "0.1"


def _results(report: Report, findings: list[Finding], rules: list[str]) -> list[dict[str, Any]]:
    seen: Counter[str] = Counter()
    results = []
    for found in findings:
        path = relative_path(report, found)
        identity = _digest(found.rule, path, found.where)
        seen[identity] += 1
        results.append(
            {
                "ruleId": found.rule,
                "ruleIndex": rules.index(found.rule),
                "level": found.severity,
                "message": {"text": _message(found)},
                "locations": [_location(path, found.where)],
                "partialFingerprints": {"provenanceFinding/v1": f"{identity}:{seen[identity]}"},
            }
        )
    return results


def _digest(*parts: str) -> str:
    """Name a finding by what stays the same from one run to the next: never by its message."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _message(found: Finding) -> str:
    lines = [found.message, *found.notes]
    if found.hint:
        lines.append(f"What to do: {found.hint}")
    return "\n".join(escape(line) for line in lines)


def _location(path: str, where: str) -> dict[str, Any]:
    address = uri(path)
    artifact: dict[str, Any] = {"uri": address}
    if not address.startswith("file:"):
        artifact["uriBaseId"] = "%SRCROOT%"
    location: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": artifact, "region": {"startLine": 1}}
    }
    if where:
        location["logicalLocations"] = [{"fullyQualifiedName": escape(where)}]
    return location


def _invocation(report: Report, left_out: int) -> dict[str, Any]:
    invocation: dict[str, Any] = {
        "executionSuccessful": report.decision != "undecided",
        "exitCode": report.exit_status,
        "exitCodeDescription": verdict(report),
    }
    if left_out > 0:
        text = f"{count(left_out, 'more result')} left out; --format json lists every one"
        invocation["toolExecutionNotifications"] = [{"level": "warning", "message": {"text": text}}]
    return invocation
