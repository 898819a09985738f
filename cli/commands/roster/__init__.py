"""``provenance roster``: who may contribute, one command a file."""

from __future__ import annotations

import click

from cli.commands.roster.add import add
from cli.commands.roster.import_ import import_
from cli.commands.roster.init import init
from cli.commands.roster.revoke import revoke
from cli.commands.roster.show import show
from cli.commands.roster.sign import sign

__all__ = ["roster"]


@click.group()
def roster() -> None:
    """Say who may contribute, under which keys and with what force; sign it and show it.

    A roster is a TOML file. Every change raises its version, and counts once the maintainers have signed it.
    """


for each in (init, add, revoke, sign, show, import_):
    roster.add_command(each)
