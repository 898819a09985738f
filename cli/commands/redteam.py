"""``provenance redteam``: the worst harm of every attack on a rule, beside its bound."""

from __future__ import annotations

import click

from cli.options import command

__all__ = ["redteam"]


@command()
@click.option("--rule", required=True, metavar="RULE", help="The aggregation rule to attack.")
@click.option("--faulty", required=True, type=click.IntRange(min=0), help="How many contributors attack.")
@click.option(
    "--pre", multiple=True, metavar="PRE", help="A pre-aggregator before the rule; in order, repeatable."
)
@click.option(
    "--contributors", type=click.IntRange(1, 200), help="How many contributors there are; default 20 or more."
)
@click.option(
    "--parameter", multiple=True, metavar="NAME=NUMBER", help="A parameter of the rule, as in W=0.5."
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to write the result."
)
def redteam(
    rule: str,
    faulty: int,
    pre: tuple[str, ...],
    contributors: int | None,
    parameter: tuple[str, ...],
    form: str,
) -> int:
    """Try every known attack on an aggregation rule.

    The attackers know all honest updates of a round of logistic regression, and each attack is as strong as a line
    search makes it. Printed are the worst harm (how far the result is from the honest mean) and the bound that the
    rule guarantees against any attack. The exit status is 1 where an attack went beyond the bound.
    """
    from cli.console import write_out
    from cli.rendering.redteam import as_json, as_text
    from provenance.aggregation.plan import known_rule, parameters_from_text
    from provenance.aggregation.redteam import red_team
    from provenance.errors import UsageError

    try:
        number = contributors or max(20, 5 * faulty, known_rule(rule).least(faulty))
        values = parameters_from_text(parameter)
        found = red_team(rule, faulty=faulty, contributors=number, pre=pre, parameters=values)
    except ValueError as problem:
        raise UsageError(str(problem)) from problem
    write_out(as_json(found) if form == "json" else as_text(found))
    return 0 if found.holds else 1
