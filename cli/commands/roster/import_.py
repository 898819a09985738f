"""``provenance roster import``: contributors from OpenSSH's ``allowed_signers``."""

from __future__ import annotations

import click

from cli.console import note, write_out
from cli.options import FILE, command

__all__ = ["import_"]


@command(name="import")
@click.argument("roster", type=FILE)
@click.argument("file", type=FILE)
def import_(roster: str, file: str) -> int:
    """Add the signers of an OpenSSH `allowed_signers` FILE.

    Each principal becomes a contributor, all of them in one version or none. Keys of kinds that are not supported
    here are left out, and named.
    """
    from provenance.trust.allowed_signers import import_allowed_signers

    found = import_allowed_signers(roster, file)
    for reason in found.skipped:
        note(f"left out: {reason}")
    write_out("".join(f"{each}\n" for each in found.added))
    note(f"version {found.roster.version}; sign it with `provenance roster sign {roster} --key KEY`")
    return 0
