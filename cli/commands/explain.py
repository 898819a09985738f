"""``provenance explain``: what the rule behind a finding means and what to do."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from cli.console import write_out
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
    from policies.rules import explain as look_up

    if rule_id is None:
        write_out("".join(f"{click.style(rule.id, bold=True)}  {rule.title}\n" for rule in RULES.values()))
        return 0
    from cli.rendering.rules import explanation

    write_out(explanation(look_up(rule_id)))
    return 0
