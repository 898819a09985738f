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
def init(roster: str, maintainers: tuple[str, ...], threshold: int) -> int:
    """Write a new roster without contributors.

    ROSTER is a TOML file that must not exist yet. Add contributors with `provenance roster add`, then sign it.
    """
    from provenance.trust.roster_editing import init_roster

    write_out(f"{init_roster(roster, maintainers=maintainers, threshold=threshold)}\n")
    return 0
