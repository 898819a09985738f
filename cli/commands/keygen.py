"""``provenance keygen``: a key pair to sign with."""

from __future__ import annotations

import click

from cli.console import write_out
from cli.options import FILE, command, password_options

__all__ = ["keygen"]

# Written here so that `--help` needs no cryptography; a test holds it against the library's own list.
ALGORITHMS = ("ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ed25519", "ml-dsa-65")


@command()
@click.argument("key", type=FILE)
@click.option("--algorithm", type=click.Choice(ALGORITHMS), default="ecdsa-p256", show_default=True)
@password_options
def keygen(key: str, algorithm: str, password_env: str | None, password_fd: int | None) -> int:
    """Make a key pair.

    KEY gets the private key (PKCS#8 PEM, readable by you alone) and KEY.pub the public one (SPKI PEM), which
    you give to those who verify. Existing files are never overwritten. Other tools for OpenSSF Model Signing
    read ECDSA signatures only; Ed25519 and ML-DSA-65 (post-quantum) are extensions.
    """
    from pathlib import Path

    from cli.password import given_password
    from provenance.signing.keys import fingerprint, generate, write_key_pair

    private = generate(algorithm)
    public = write_key_pair(Path(key), private, password=given_password(password_env, password_fd))
    write_out(f"{fingerprint(private.public_key())}\n{key}\n{public}\n")
    return 0
