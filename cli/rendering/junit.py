"""JUnit XML for build servers: a test case per file, refused is a failure, undecided an error."""

from __future__ import annotations

from collections import defaultdict
from xml.sax.saxutils import escape as xml_text
from xml.sax.saxutils import quoteattr

from cli.rendering.escape import escape
from cli.rendering.report import Report
from cli.rendering.wording import verdict
from policies import Finding, outcome

__all__ = ["render"]


def render(report: Report) -> str:
    """Write a report as one test suite; the first case is the verdict on the artifact as a whole."""
    by_path: defaultdict[str, list[Finding]] = defaultdict(list)
    for path in _checked_paths(report):
        by_path[path] = []
    for found in report.findings:
        by_path[found.path or report.subject].append(found)
    whole = _case(report, "verdict", report.decision, verdict(report), ())
    cases = [
        whole,
        *(_case(report, path, outcome(found), "", tuple(found)) for path, found in by_path.items()),
    ]
    failures = sum("<failure" in case for case in cases)
    errors = sum("<error" in case for case in cases)
    name = quoteattr(f"provenance {report.command}")
    opening = (
        f'<testsuite name={name} tests="{len(cases)}" failures="{failures}" errors="{errors}" '
        f'skipped="0" time="{report.seconds:.3f}">'
    )
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>", opening, *cases]
    return "\n".join([*lines, "</testsuite>", "</testsuites>", ""])


def _checked_paths(report: Report) -> list[str]:
    if report.files is not None:
        return [file.path for file in report.files]
    return [name for name, _, _ in report.resources or ()]


def _case(report: Report, name: str, decision: str, message: str, findings: tuple[Finding, ...]) -> str:
    """Write one test case; what is no error goes to its output."""
    opening = f"<testcase classname={_attribute(report.subject)} name={_attribute(name)}"
    body = []
    errors = [found for found in findings if found.severity == "error"]
    if decision != "accepted":
        tag = "failure" if decision == "refused" else "error"
        kind = errors[0].rule if errors else decision
        text = "\n".join(_line(found) for found in errors) or escape(message)
        summary = errors[0].message if errors else message
        body.append(f"<{tag} type={_attribute(kind)} message={_attribute(summary)}>{xml_text(text)}</{tag}>")
    others = [_line(found) for found in findings if found.severity != "error"]
    if others:
        body.append(f"<system-out>{xml_text(chr(10).join(others))}</system-out>")
    return f"{opening}>{''.join(body)}</testcase>" if body else f"{opening}/>"


def _line(found: Finding) -> str:
    parts = [f"{found.severity}[{found.rule}]: {found.message}", found.where, *found.notes]
    if found.hint:
        parts.append(f"hint: {found.hint}")
    return "; ".join(escape(part) for part in parts if part)


def _attribute(text: str) -> str:
    return quoteattr(escape(text))
