"""``provenance replay``: recompute a round and compare."""

from __future__ import annotations

from typing import Any

import click

from cli.options import FILE, command, format_option
from cli.rendering.report import Report

__all__ = ["replay"]


@command()
@click.argument("result", type=FILE, metavar="OUT.safetensors")
@click.option("--updates", type=FILE, required=True, metavar="UPDATES_DIR", help="The folder of the updates.")
@click.option("--roster", type=FILE, required=True, help="The roster of the round.")
@click.option(
    "--roster-key",
    "roster_keys",
    type=FILE,
    multiple=True,
    help="A maintainer's public key; may be repeated.",
)
@click.option(
    "--key", "keys", type=FILE, multiple=True, help="Accept statements of this key; may be repeated."
)
@click.option("--base", type=FILE, help="The model that the updates start from.")
@click.option(
    "--store", type=FILE, multiple=True, envvar="PROVENANCE_STORE", help="Where the statement may lie."
)
@format_option
def replay(result: str, format: str, **options: Any) -> int:  # noqa: A002
    """Recompute a round from its signed statement and its updates, and compare every bit with OUT.safetensors.

    Refused (1) where the bits differ, where the round used an update that does not count, or where it left out a
    valid update of the folder; undecided (3) where the statement or an update is missing.
    """
    from cli.judging import judge

    return judge("replay", result, lambda: _replay(result, options), format, None)


def _replay(result: str, options: dict[str, Any]) -> Report:
    from cli.rounds import replay_report
    from provenance.aggregation.rounds.replaying import replay as replay_round

    return replay_report(result, replay_round(result, **options))
