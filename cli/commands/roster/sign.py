"""``provenance roster sign``: a maintainer's signature on a roster."""

from __future__ import annotations

import click

from cli.console import write_out
from cli.options import FILE, command, password_options

__all__ = ["sign"]


@command()
@click.argument("roster", type=FILE)
@click.option("--key", type=FILE, required=True, help="The private key of a maintainer.")
@click.option(
    "--expires",
    metavar="DATE",
    help="Renew it first: after this day it counts no more. The other maintainers then sign that version.",
)
@password_options
def sign(
    roster: str, key: str, expires: str | None, password_env: str | None, password_fd: int | None
) -> int:
    """Sign the roster as it is now, or renewed.

    The bundle is written beside it, one for each maintainer, and its path is printed.
    """
    from cli.password import ask_password, given_password
    from provenance.signing.keys import PasswordRequired
    from provenance.trust.roster_signing import sign_roster

    password = given_password(password_env, password_fd)
    try:
        bundle = sign_roster(roster, key=key, password=password, expires=expires)
    except PasswordRequired:
        password = ask_password(key)
        if password is None:
            raise
        bundle = sign_roster(roster, key=key, password=password, expires=expires)
    write_out(f"{bundle}\n")
    return 0
