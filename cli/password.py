"""Passwords of private keys: from an environment variable, a file descriptor or a prompt; never from arguments."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from provenance.errors import UsageError

if TYPE_CHECKING:
    from provenance.signing.keys import PrivateKey

__all__ = ["ask_password", "given_password", "unlocked"]

MOST_BYTES = 4096


def given_password(variable: str | None, descriptor: int | None) -> bytes | None:
    """Read the password from where an option says, None where none does; raises UsageError.

    From a descriptor the first line counts, without its end.
    """
    if variable and descriptor is not None:
        raise UsageError("--password-env and --password-fd cannot both be given")
    if variable:
        value = os.environb.get(os.fsencode(variable))
        if not value:
            raise UsageError(f"the environment variable {variable} holds no password")
        return value
    return None if descriptor is None else _read_line(descriptor)


def _read_line(descriptor: int) -> bytes:
    data = b""
    try:
        while b"\n" not in data and len(data) <= MOST_BYTES:
            block = os.read(descriptor, MOST_BYTES)
            if not block:
                break
            data += block
    except OSError as problem:
        raise UsageError(
            f"cannot read a password from descriptor {descriptor}: {problem.strerror}"
        ) from problem
    line = data.split(b"\n", 1)[0].removesuffix(b"\r")
    if not line:
        raise UsageError(f"descriptor {descriptor} gave no password")
    if len(line) > MOST_BYTES:
        raise UsageError(f"the password is longer than {MOST_BYTES} bytes")
    return line


def ask_password(key: str) -> bytes | None:
    """Ask for the password of a key on the terminal; None where there is nobody to ask."""
    if not sys.stdin.isatty():
        return None
    answer: str = click.prompt(f"Password of {key}", hide_input=True, err=True)
    return answer.encode()


def unlocked(key: str, variable: str | None, descriptor: int | None) -> PrivateKey:
    """Open a private key, and ask for its password on the terminal where it has one and none was given."""
    from provenance.signing.keys import PasswordRequired
    from provenance.signing.signers import open_key

    password = given_password(variable, descriptor)
    try:
        return open_key(key, password)
    except PasswordRequired:
        password = ask_password(key)
        if password is None:
            raise
        return open_key(key, password)
