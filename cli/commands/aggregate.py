"""``provenance aggregate``: combine the verified updates of a round by a robust rule."""

from __future__ import annotations

import math
from typing import Any

import click

from cli.options import FILE, command, format_option, password_options
from cli.rendering.report import Report
from cli.rounds import parameters_option, pre_option, rule_option

__all__ = ["aggregate"]


@command()
@click.argument("updates", type=FILE, metavar="UPDATES_DIR")
@click.option("--roster", type=FILE, required=True, help="Who may contribute, with which voting right.")
@click.option(
    "--roster-key",
    "roster_keys",
    type=FILE,
    multiple=True,
    help="A maintainer's public key; may be repeated.",
)
@click.option(
    "--round", "round", metavar="TASK@N", help="The round; else what more than half of them signed."
)
@click.option("--base", type=FILE, help="The model that the updates start from.")
@rule_option
@click.option(
    "--faulty", type=click.IntRange(min=0), required=True, help="How many contributors may be faulty."
)
@pre_option
@parameters_option
@click.option(
    "--max-norm", type=click.FloatRange(min=0), default=math.inf, help="Drop updates of a larger norm."
)
@click.option("-o", "--output", type=FILE, help="Write the result to this file (safetensors).")
@click.option("--key", type=FILE, help="Sign the result, and a statement of how it came about.")
@password_options
@click.option("--explain", is_flag=True, help="Show what every rule would guarantee for this round.")
@format_option
def aggregate(
    updates: str,
    format: str,  # noqa: A002
    password_env: str | None,
    password_fd: int | None,
    **options: Any,
) -> int:
    """Verify the updates in UPDATES_DIR and combine those that count by a rule that bounds what anybody can do.

    An update is a safetensors file that a contributor of the roster signed with `provenance contribute --round`.
    Whatever does not verify is dropped and listed; the round is refused where the rule's conditions no longer hold.
    """
    from cli.judging import judge
    from cli.password import unlocked

    if options["output"] is None and not options["explain"]:
        raise click.UsageError("Name a file for the result with -o.")
    if options["key"]:
        options["key"] = unlocked(options["key"], password_env, password_fd)
    return judge("aggregate", updates, lambda: _aggregate(updates, options), format, None)


def _aggregate(updates: str, options: dict[str, Any]) -> Report:
    from cli.rounds import round_report
    from provenance.aggregation.rounds.round import aggregate as aggregate_round

    explain = options.pop("explain")
    found = aggregate_round(updates, observe=explain, **options)
    return round_report(updates, found, explain=explain)
