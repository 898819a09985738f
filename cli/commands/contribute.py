"""``provenance contribute``: sign records, or an update of a model, as their contributor."""

from __future__ import annotations

from typing import Any

import click

from cli.console import write_out
from cli.options import FILE, command, password_options, path_argument

__all__ = ["contribute"]

# Written here so that `--help` needs no cryptography; a test holds it against the library's own list.
FORMATS = ("jsonl", "csv", "parquet", "webdataset")


@command()
@path_argument
@click.option("--contributor", metavar="ID", required=True, help="Your id in the roster.")
@click.option("--key", type=FILE, help="Sign with this private key.")
@click.option("--sigstore", is_flag=True, help="Sign without a key, as an identity that the roster lists.")
@click.option(
    "--identity-token",
    metavar="TOKEN",
    envvar="SIGSTORE_ID_TOKEN",
    help="An OIDC token; better given by environment.",
)
@click.option(
    "--trust-config", type=FILE, help="Another Sigstore instance than the public one (ClientTrustConfig)."
)
@password_options
@click.option(
    "--records", type=click.Choice(FORMATS), help="Cut the file into records; else each file is one record."
)
@click.option("--round", metavar="TASK@N", help="Sign an update for this round, not records.")
@click.option("--base", metavar="PATH|sha256:HEX", help="The model that the update starts from.")
@click.option(
    "--update", type=click.Choice(["weights", "delta"]), help="What the update holds  [default: weights]"
)
@click.option("--claimed-weight", type=float, help="What you say the update weighs; kept, without effect.")
@click.option("--licence", metavar="SPDX", help="The licence of the data, such as CC-BY-4.0.")
@click.option("--consent", metavar="REF", help="A reference to the consent under which they were collected.")
@click.option("--collected-from", metavar="DATE", help="The first day of collection.")
@click.option("--collected-until", metavar="DATE", help="The last day of collection.")
@click.option("--generation", metavar="TEXT", help="How the data were made, where they were not collected.")
@click.option(
    "--salted", is_flag=True, help="Put 16 random bytes before each record, so that none can be guessed."
)
@click.option("--salts", type=FILE, help="Where to keep the salts  [default: PATH.salts]")
@click.option("--leaves", is_flag=True, help="Write the leaves beside the bundle, 32 bytes a record.")
@click.option("--signature", "output", type=FILE, help="Where to write the bundle.")
def contribute(path: str, password_env: str | None, password_fd: int | None, **options: Any) -> int:
    """Sign a batch of records, or an update of a model, as their contributor.

    PATH is a file or a directory. One signature covers all records: the statement holds the root of their Merkle
    tree, so that each can be proven later on its own. The bundle's path in `.provenance/` is printed.
    """
    from cli.password import ask_password, given_password
    from cli.progress import progress
    from provenance.lineage.contributing import contribute as sign_contribution
    from provenance.signing.keys import PasswordRequired

    password = given_password(password_env, password_fd)
    with progress("signing", [path]) as advance:
        try:
            bundle = sign_contribution(path, password=password, progress=advance, **options)
        except PasswordRequired:
            password = ask_password(options["key"])
            if password is None:
                raise
            bundle = sign_contribution(path, password=password, progress=advance, **options)
    write_out(f"{bundle}\n")
    return 0
