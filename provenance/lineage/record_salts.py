"""Salts: 16 random bytes before each record in its leaf, so that nobody can guess records of few possible values.

The contributor keeps them in a file of its own beside the artifact, never in ``.provenance/``, which is published, and
gives them to whoever is to verify the records.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from provenance.artifacts.atomic import open_atomically
from provenance.artifacts.records.reading import SALT_SIZE, Salts
from provenance.errors import Malformed, Undecided, UsageError

__all__ = ["making_salts", "reading_salts", "salts_path"]

_SUFFIX: Final = ".salts"


def salts_path(artifact: Path) -> Path:
    """Return where the salts of an artifact lie: beside it, ``<name>.salts``."""
    resolved = artifact.resolve()
    return resolved.with_name(resolved.name + _SUFFIX)


@contextmanager
def making_salts(path: Path) -> Iterator[Salts]:
    """Make salts as they are asked for; the file (mode 0600) appears when the block ends.

    Raises ``UsageError`` where there is one already: without its salts, what was signed before cannot be verified.
    """
    if os.path.lexists(path):
        raise UsageError(f"{path} exists already", hint="keep it, and name another file with --salts")
    try:
        with open_atomically(path, mode=0o600, exclusive=True) as file:

            def make(count: int) -> bytes:
                salts = os.urandom(count * SALT_SIZE)
                file.write(salts)
                return salts

            yield make
    except FileExistsError as error:
        raise UsageError(f"{path} exists already") from error


@contextmanager
def reading_salts(path: Path) -> Iterator[Salts]:
    """Read salts in order; raises ``Undecided`` (CON020) without a file, ``Malformed`` (CON014) for another number."""
    try:
        file = path.open("rb")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise Undecided(f"cannot read the salts {path}: {reason}", code="CON020") from error
    with file:

        def read(count: int) -> bytes:
            salts = file.read(count * SALT_SIZE)
            if len(salts) != count * SALT_SIZE:
                raise _other_number(path)
            return salts

        yield read
        if file.read(1):
            raise _other_number(path)


def _other_number(path: Path) -> Malformed:
    return Malformed(f"{path} has not one salt of {SALT_SIZE} bytes for each record", code="CON014")
