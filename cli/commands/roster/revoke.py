"""``provenance roster revoke``: shut a contributor, or one key, out."""

from __future__ import annotations

import click

from cli.console import note, write_out
from cli.options import FILE, command

__all__ = ["revoke"]


@command()
@click.argument("roster", type=FILE)
@click.argument("contributor", metavar="ID")
@click.option(
    "--at", metavar="DATE", help="From when on: a day, or a moment with its time zone; now by default."
)
@click.option("--reason", required=True, help="Why, in a sentence for people.")
@click.option("--key", metavar="PUB|SHA256:HEX", help="Revoke this key of the contributor alone.")
def revoke(roster: str, contributor: str, at: str | None, reason: str, key: str | None) -> int:
    """Revoke a contributor.

    What a trusted time (a log or a timestamp) places before the revocation stands. All else that the contributor
    ever signed is tainted, whatever date it claims.
    """
    from provenance.trust.roster_editing import revoke_contributor

    changed = revoke_contributor(roster, contributor, at=at, reason=reason, key=key)
    write_out(f"version {changed.version}\n")
    note(f"sign it with `provenance roster sign {roster} --key KEY`")
    return 0
