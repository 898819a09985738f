"""Rules for people: one on a terminal, the whole table as a page of the documentation."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import fill

import click

from policies import Rule

__all__ = ["explanation", "rules_page"]

_WIDTH = 80

_FAMILIES = {
    "SIG": "Signatures and what they cover",
    "ART": "Files and their names",
    "FMT": "File formats",
    "ARC": "Archives",
    "PKL": "Pickles",
    "POL": "Policies",
    "LIN": "Lineage",
    "CON": "Contributors, rosters and records",
}

_PAGE_HEAD = """\
# Rules

Every finding has a rule id. This page lists all of them; `provenance explain SIG003` prints one.

An *error* refuses the artifact (exit status 1) or, where something could not be answered, leaves it undecided
(exit status 3). A *warning* and a *note* change no decision.

<!-- Written by `make docs` from the table in policies/rules/. -->
"""


def explanation(rule: Rule) -> str:
    """Write one rule with ANSI colours: title and effect, explanation, next step."""
    lines = [f"{click.style(rule.id, bold=True)}: {rule.title}", f"({_effect(rule)})", ""]
    lines.append(fill(rule.explanation, _WIDTH))
    if rule.hint:
        hint = click.style("hint", fg="cyan")
        lines += [
            "",
            f"{hint}: {fill(rule.hint, _WIDTH, initial_indent='      ', break_on_hyphens=False).lstrip()}",
        ]
    return "\n".join(lines) + "\n"


def rules_page(rules: Iterable[Rule]) -> str:
    """Write the page ``docs/rules.md``: a section for each family, an anchor for each rule."""
    parts, family = [_PAGE_HEAD], ""
    for rule in rules:
        if rule.id[:3] != family:
            family = rule.id[:3]
            parts.append(f"## {_FAMILIES.get(family, family)}\n")
        parts.append(
            f"### {rule.id}\n\n**{_sentence(rule.title)}** — {_effect(rule)}.\n\n{_markdown(rule.explanation)}\n"
        )
        if rule.hint:
            parts.append(f"What to do: {_markdown(rule.hint)}.\n")
    return "\n".join(parts)


def _effect(rule: Rule) -> str:
    if rule.severity != "error":
        return f"a {rule.severity}"
    return "an error: refused" if rule.outcome == "refuse" else "an error: undecided"


def _sentence(title: str) -> str:
    return title[:1].upper() + title[1:]


def _markdown(text: str) -> str:
    """Keep ``<file>`` from being taken for HTML, but for what stands in backquotes."""
    parts = text.split("`")
    return "`".join(part if index % 2 else part.replace("<", "&lt;") for index, part in enumerate(parts))
