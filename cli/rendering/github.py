"""Annotations for GitHub Actions: ``::error file=…,title=…::…``, a line each, then the verdict."""

from __future__ import annotations

from cli.rendering.escape import escape
from cli.rendering.places import relative_path
from cli.rendering.report import Report
from cli.rendering.wording import verdict
from policies import RULES, Finding

__all__ = ["render"]

_LEVELS = {"error": "error", "warning": "warning", "note": "notice"}
_GRAVEST_FIRST = {"error": 0, "warning": 1, "note": 2}  # a step shows only its first annotations


def render(report: Report) -> str:
    """Write a report as workflow commands; the verdict stands alone in the last line."""
    findings = sorted(report.findings, key=lambda found: _GRAVEST_FIRST[found.severity])
    return "".join(f"{_annotation(report, found)}\n" for found in findings) + f"{verdict(report)}\n"


def _annotation(report: Report, found: Finding) -> str:
    title = f"{found.rule} {RULES[found.rule].title}"
    properties = f"file={_property(relative_path(report, found))},line=1,title={_property(title)}"
    lines = [f"{found.message} ({found.where})" if found.where else found.message, *found.notes]
    if found.hint:
        lines.append(f"hint: {found.hint}")
    return f"::{_LEVELS[found.severity]} {properties}::{'%0A'.join(_data(line) for line in lines)}"


def _data(text: str) -> str:
    return escape(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
