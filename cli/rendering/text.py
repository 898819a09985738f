"""Text for people: findings with their place, notes and hints, then who signed, then the verdict."""

from __future__ import annotations

from collections import Counter

import click

from cli.rendering.escape import escape
from cli.rendering.places import from_here
from cli.rendering.report import Report
from cli.rendering.wording import count, signer_line, verdict
from policies import Finding

__all__ = ["MOST_OF_A_RULE", "render", "render_finding"]

MOST_OF_A_RULE = 50

_COLOURS = {"error": "red", "warning": "yellow", "note": "blue"}
_DECISION_COLOURS = {"accepted": "green", "refused": "red", "undecided": "yellow"}
_ORDER = {"note": 0, "warning": 1, "error": 2}  # what matters most ends up next to the verdict


def render(report: Report) -> str:
    """Write a report as text with ANSI colours (to be stripped where none are wanted)."""
    blocks = _findings(report)
    said = (escape(line) for line in report.lines)
    closing = [*said, *_formats(report), *(signer_line(signer) for signer in report.signers or ())]
    closing.append(_styled_verdict(report))
    return "\n\n".join(blocks) + ("\n" if blocks else "") + "\n".join(closing) + "\n"


def render_finding(found: Finding, file: str | None = None) -> str:
    """Write one finding: severity, rule and message, then the place, the notes and the hint, a line each.

    ``file`` stands in for the finding's path.
    """
    colour = _COLOURS[found.severity]
    lines = [
        f"{click.style(f'{found.severity}[{found.rule}]', fg=colour, bold=True)}: {escape(found.message)}"
    ]
    place = ", ".join(part for part in (found.path if file is None else file, found.where) if part)
    if place:
        lines.append(f"  {click.style('-->', fg='blue')} {escape(place)}")
    lines.extend(f"   = note: {escape(note)}" for note in found.notes)
    if found.hint:
        lines.append(f"   = {click.style('hint', fg='cyan')}: {escape(found.hint)}")
    return "\n".join(lines)


def _findings(report: Report) -> list[str]:
    """Write the findings, the gravest last, and of each rule only so many."""
    totals = Counter(found.rule for found in report.findings)
    shown: Counter[str] = Counter()
    blocks = []
    for found in sorted(report.findings, key=lambda found: _ORDER[found.severity]):
        shown[found.rule] += 1
        if shown[found.rule] <= MOST_OF_A_RULE:
            blocks.append(render_finding(found, from_here(report.place(found.path)) if found.path else None))
        elif shown[found.rule] == totals[found.rule]:
            rest = count(totals[found.rule] - MOST_OF_A_RULE, f"more {found.severity}")
            blocks.append(f"{rest} of rule {found.rule} left out here; `--format json` lists every one")
    return blocks


def _formats(report: Report) -> list[str]:
    """Say in one line which formats were found, the most frequent first."""
    if not report.files:
        return []
    formats = Counter(file.format for file in report.files).most_common()
    return ["formats found: " + ", ".join(f"{number:,} {name}" for name, number in formats)]


def _styled_verdict(report: Report) -> str:
    decision, _, rest = verdict(report).partition(":")
    return f"{click.style(decision, fg=_DECISION_COLOURS[report.decision], bold=True)}:{rest}"
