"""``provenance sign``: sign a model or data set."""

from __future__ import annotations

from typing import Any

import click

from cli.console import write_out
from cli.options import FILE, command, password_options, path_argument

__all__ = ["sign"]


@command()
@path_argument
@click.option("--key", type=FILE, help="Sign with this private key.")
@click.option("--certificate", type=FILE, help="Put this certificate (PEM) of the key into the bundle.")
@click.option("--chain", type=FILE, multiple=True, help="Intermediate certificates (PEM); may be repeated.")
@click.option("--sigstore", is_flag=True, help="Sign without a key, as the identity of a CI job or a token.")
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
@click.option("--signature", type=FILE, help="Where to write the bundle.")
@click.option(
    "--digest", type=click.Choice(["sha256", "blake2b", "blake3"]), default="sha256", show_default=True
)
@click.option("--shard-size", type=click.IntRange(min=1), metavar="BYTES", help="Digest ranges of this size.")
@click.option(
    "--ignore", multiple=True, metavar="PATH", help="Leave out this path of the artifact; may be repeated."
)
@click.option("--add", is_flag=True, help="Add a signature in .provenance/ and keep those that are there.")
def sign(path: str, password_env: str | None, password_fd: int | None, **options: Any) -> int:
    """Sign a file or a directory.

    The bundle (OpenSSF Model Signing 1.0) is written to `model.sig` in a directory, or to FILE.sigstore.json; its
    path is printed. It replaces an older one as a whole, never by half.
    """
    from cli.password import ask_password, given_password
    from cli.progress import progress
    from provenance.signing.keys import PasswordRequired
    from provenance.signing.sign import sign as sign_artifact

    password = given_password(password_env, password_fd)
    with progress("signing", [path]) as advance:
        try:
            bundle = sign_artifact(path, password=password, progress=advance, **options)
        except PasswordRequired:
            password = ask_password(options["key"])
            if password is None:
                raise
            bundle = sign_artifact(path, password=password, progress=advance, **options)
    write_out(f"{bundle}\n")
    return 0
