"""The part of a policy file that allows what was found; everything else is a comment, so all of it can be pasted."""

from __future__ import annotations

from collections.abc import Iterator

from cli.rendering.escape import escape
from cli.rendering.report import Report
from cli.rendering.wording import verdict

__all__ = ["render"]


def render(report: Report) -> str:
    """Write the fragment, with what no allowlist can change, and the verdict, as comments."""
    lines = [f"# {line}" for line in _comments(report)]
    fragment = str(report.details.get("toml", ""))
    return "\n".join([*lines, fragment, f"# {escape(verdict(report))}", ""])


def _comments(report: Report) -> Iterator[str]:
    yield escape(f"what the pickles in {report.subject} need; allow a name only if you know what it does")
    for profile, number in report.details.get("known_to_profiles", {}).items():
        yield f'the profile "{profile}" knows {number} of the names, and checks how they are used: rather add that'
    for name in report.details.get("impossible", []):
        yield escape(f"no allowlist can hold {name}")
    for found in report.findings:
        if found.severity == "error":
            yield escape(f"still {found.rule}: {found.message}")
