"""``provenance lineage``: where things come from and where they went, one command a file."""

from __future__ import annotations

import click

from cli.commands.lineage.diff import diff
from cli.commands.lineage.export import export
from cli.commands.lineage.impact import impact
from cli.commands.lineage.show import show
from cli.commands.lineage.trace import trace

__all__ = ["lineage"]


@click.group()
def lineage() -> None:
    """Follow artifacts back to their sources and forward to everything made from them.

    Statements are read from `.provenance/` beside the artifact and from each --store; what nobody whom you trust
    signed is shown as asserted, and what is not there as missing. The network is never used.
    """


for each in (show, trace, impact, diff, export):
    lineage.add_command(each)
