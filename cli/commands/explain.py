"""``provenance explain``: what the rule behind a finding means and what to do."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from cli.console import error, write_out
from cli.options import command

__all__ = ["explain"]


def _complete(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from policies import RULES

    wanted = incomplete.upper()
    return [CompletionItem(rule.id, help=rule.title) for rule in RULES.values() if rule.id.startswith(wanted)]


@command()
@click.argument("rule_id", required=False, shell_complete=_complete)
def explain(rule_id: str | None) -> int:
    """Explain the rule behind a finding.

    RULE_ID is what stands in brackets behind error, warning or note: SIG003. Without it, all rules are listed.
    """
    from policies import RULES

    if rule_id is None:
        write_out("".join(f"{click.style(rule.id, bold=True)}  {rule.title}\n" for rule in RULES.values()))
        return 0
    rule = RULES.get(rule_id.upper())
    if rule is None:
        error(f"there is no rule {rule_id}", hint=_suggestion(rule_id.upper(), list(RULES)))
        return 2
    write_out(explanation(rule.id))
    return 0


def explanation(rule_id: str) -> str:
    """Write what the table says about a rule: title, severity, explanation, next step."""
    from textwrap import fill

    from policies import RULES

    rule = RULES[rule_id]
    effect = {"refuse": "refused", "undecided": "left undecided"}[rule.outcome]
    consequence = f"an error: the artifact is {effect}" if rule.severity == "error" else f"a {rule.severity}"
    lines = [f"{click.style(rule.id, bold=True)}: {rule.title} ({consequence})", "", fill(rule.explanation, 80)]
    if rule.hint:
        hint = click.style("hint", fg="cyan")
        lines += ["", f"{hint}: {fill(rule.hint, 80, initial_indent='      ').lstrip()}"]
    return "\n".join(lines) + "\n"


def _suggestion(wanted: str, known: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(wanted, known, n=3, cutoff=0.6)
    listing = "`provenance explain` lists all rules"
    return f"did you mean {' or '.join(near)}? {listing}" if near else listing
