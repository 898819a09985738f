"""``provenance roster add``: one more contributor, or another key of one."""

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
@click.option("--voting-right", type=float, help="Force of the vote, from 0 on; 1 by default.")
@click.option("--valid-from", metavar="DATE", help="The first day, or a moment with its time zone.")
@click.option("--valid-until", metavar="DATE", help="The last day, or a moment with its time zone.")
@click.option(
    "--existing", is_flag=True, help="Give the keys and the identity to a contributor who is listed already."
)
def add(roster: str, contributor: str, identity: str, issuer: str, *, existing: bool, **options: Any) -> int:
    """Add a contributor, with its keys written into the roster, or another key of one with --existing.

    ID is a plain name of up to 64 letters, digits and . _ @ + -, which no other contributor has. A contributor who
    gets another key keeps the ones before: revoke those that no longer count.
    """
    from provenance.errors import UsageError
    from provenance.trust.roster_amending import add_to_contributor
    from provenance.trust.roster_editing import add_contributor

    if bool(identity) != bool(issuer):
        raise UsageError("--identity and --issuer go together")
    identities = ((identity, issuer),) if identity else ()
    given = {name: value for name, value in options.items() if value is not None}
    if existing:
        if given.keys() != {"keys"}:
            raise UsageError("--existing adds keys and identities, and changes nothing else")
        changed = add_to_contributor(roster, contributor, identities=identities, **given)
    else:
        changed = add_contributor(roster, contributor, identities=identities, **given)
    write_out(f"version {changed.version}\n")
    note(f"sign it with `provenance roster sign {roster} --key KEY`")
    return 0
