"""``provenance roster add``: one more contributor."""

from __future__ import annotations

from typing import Any

import click

from cli.console import note, write_out
from cli.options import FILE, command

__all__ = ["add"]


@command()
@click.argument("roster", type=FILE)
@click.argument("contributor", metavar="ID")
@click.option(
    "--key", "keys", type=FILE, multiple=True, help="A public key of the contributor; may be repeated."
)
@click.option("--identity", default="", help="A Sigstore identity of the contributor, exactly.")
@click.option("--issuer", default="", help="The issuer of the identity, exactly.")
@click.option(
    "--voting-right", type=float, default=1.0, show_default=True, help="Force of the vote, from 0 on."
)
@click.option("--valid-from", metavar="DATE", help="The first day, or a moment with its time zone.")
@click.option("--valid-until", metavar="DATE", help="The last day, or a moment with its time zone.")
def add(roster: str, contributor: str, identity: str, issuer: str, **options: Any) -> int:
    """Add a contributor, with its keys written into the roster.

    ID is a plain name of up to 64 letters, digits and . _ @ + -, which no other contributor has.
    """
    from provenance.errors import UsageError
    from provenance.trust.roster_editing import add_contributor

    if bool(identity) != bool(issuer):
        raise UsageError("--identity and --issuer go together")
    identities = ((identity, issuer),) if identity else ()
    changed = add_contributor(roster, contributor, identities=identities, **options)
    write_out(f"version {changed.version}\n")
    note(f"sign it with `provenance roster sign {roster} --key KEY`")
    return 0
