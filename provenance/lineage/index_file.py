"""Keeping the index between runs, where whoever writes into a store cannot reach it, under the user's own seal.

The file lies under ``$XDG_CACHE_HOME/provenance``; its first 32 bytes are a keyed BLAKE3 of the rest, by a key that
lies under ``$XDG_STATE_HOME/provenance`` and is readable by the user alone. What does not bear the seal is not read,
and the index is built anew; so is it where nothing can be written.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from blake3 import blake3

from provenance.artifacts.atomic import write_atomically
from provenance.lineage.index import SCHEMA_VERSION, Statements

__all__ = ["KEEP_FROM", "KEEP_SHARE", "index_path", "load_index", "save_index"]

# Reading fewer statements than this anew takes less than a tenth of a second.
KEEP_FROM: Final = 500
KEEP_SHARE: Final = 0.002
_SEAL_BYTES: Final = 32
_MOST_BYTES: Final = 4 * 1024**3


def index_path(stores: Iterable[str]) -> Path:
    """Return where the index of some stores is kept."""
    name = hashlib.sha256("\0".join(sorted(stores)).encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return _home("XDG_CACHE_HOME", ".cache") / "lineage" / f"{name}.{SCHEMA_VERSION}.db"


def load_index(path: Path) -> Statements:
    """Read a kept index whose seal is right; an empty one where there is none."""
    try:
        key = _key(make=False)
        with open(path, "rb") as file:
            seal, data = file.read(_SEAL_BYTES), file.read(_MOST_BYTES)
        if key is None or not hmac.compare_digest(seal, _seal(key, data)):
            return Statements()
        return Statements(_in_memory(data))
    except (OSError, sqlite3.Error, AttributeError):  # some builds of SQLite cannot read from memory
        return Statements()


def _in_memory(data: bytes) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    try:
        connection.deserialize(data)
    except BaseException:
        connection.close()
        raise
    return connection


def save_index(path: Path, statements: Statements) -> None:
    """Keep an index; where that cannot be, the next run reads the statements anew."""
    with contextlib.suppress(OSError, sqlite3.Error, AttributeError):
        key = _key(make=True)
        if key is not None:
            data = statements.connection.serialize()
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(path, _seal(key, data) + data, mode=0o600)


def _seal(key: bytes, data: bytes) -> bytes:
    return blake3(data, key=key, max_threads=blake3.AUTO).digest()


def _key(*, make: bool) -> bytes | None:
    """Return the key of the seal; none where another user could have read or written it."""
    path = _home("XDG_STATE_HOME", ".local/state") / "index.key"
    if make and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(FileExistsError):
            write_atomically(path, secrets.token_bytes(_SEAL_BYTES), mode=0o600, exclusive=True)
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        key = file.read(_SEAL_BYTES + 1)
    private = found.st_uid == os.getuid() and not found.st_mode & 0o077
    return key if private and len(key) == _SEAL_BYTES else None


def _home(variable: str, default: str) -> Path:
    """Return our directory below one of the XDG base directories; a relative one is ignored, as XDG demands."""
    base = os.environ.get(variable, "")
    return (Path(base) if os.path.isabs(base) else Path.home() / default) / "provenance"
