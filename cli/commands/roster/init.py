"""``provenance roster init``: a new roster."""

from __future__ import annotations

import click

from cli.console import write_out
from cli.options import FILE, command

__all__ = ["init"]


@command()
@click.argument("roster", type=FILE)
@click.option(
    "--maintainer",
    "maintainers",
    type=FILE,
    multiple=True,
    help="Public key of a maintainer; may be repeated.",
)
@click.option(
    "--threshold",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How many maintainers must sign.",
)
@click.option("--expires", metavar="DATE", help="After this day it counts no more, until it is signed anew.")
def init(roster: str, maintainers: tuple[str, ...], threshold: int, expires: str | None) -> int:
    """Write a new roster without contributors.

    ROSTER is a TOML file that must not exist yet. Add contributors with `provenance roster add`, then sign it.
    """
    from provenance.trust.roster_editing import init_roster

    made = init_roster(roster, maintainers=maintainers, threshold=threshold, expires=expires)
    write_out(f"{made}\n")
    return 0
