"""Which names of files a manifest may carry, and which names are never part of one."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable

__all__ = [
    "ATTESTATION_DIRECTORY",
    "ATTESTATION_SUFFIXES",
    "DEFAULT_IGNORED",
    "DEFAULT_SIGNATURE",
    "collision_key",
    "ignore_problem",
    "is_utf8",
    "name_problem",
    "recorded_exclusions",
]

# OMS v1.0, section 6.2: left out at the top level of every artifact.
DEFAULT_IGNORED = (".git", ".gitattributes", ".github", ".gitignore")
DEFAULT_SIGNATURE = "model.sig"
ATTESTATION_DIRECTORY = ".provenance"
ATTESTATION_SUFFIXES = (".sigstore.json", ".jsonl", ".leaves", ".origins", ".db", ".db-wal", ".db-shm")

MAX_NAME_LENGTH = 4096
# A file called "a:b" is harmless where there are no drives.
_DRIVE = re.compile(r"[A-Za-z]:" if os.name == "nt" else r"[A-Za-z]:(?:/|$)")
_GLOB = re.compile(r"[*?\[]")


def is_utf8(name: str) -> bool:
    """Tell whether a name from the file system can be written in UTF-8 (surrogates stand for bytes that cannot)."""
    if name.isascii():
        return True
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def name_problem(name: str) -> str | None:
    """Say why a name from a manifest must not be opened, or None (OMS v1.0, section 6.1.2, and stricter)."""
    if not name or len(name) > MAX_NAME_LENGTH:
        return "is empty or too long"
    if not is_utf8(name):
        return "is not valid UTF-8"
    if "\0" in name or "\\" in name:
        return "contains NUL or a backslash"
    if name.startswith("/") or _DRIVE.match(name):
        return "is absolute"
    parts = name.split("/")
    if ".." in parts:
        return "leaves the artifact by '..'"
    return "is not normalised" if "" in parts or "." in parts else None


def ignore_problem(name: str) -> str | None:
    """Say why a path cannot be ignored, or None: exact relative paths only, no globs (OMS v1.0, section 6.2.1)."""
    if _GLOB.search(name):
        return "contains a glob character; paths are matched exactly"
    return name_problem(name)


def recorded_exclusions(recorded: Iterable[str]) -> tuple[str, ...]:
    """Return those paths that a bundle records as ignored which count here: exact names, and not all attestations.

    The directory of attestations is recorded for other tools' sake; here the attestations in it are left out by
    their names, so that nothing else can hide among them.
    """
    return tuple(name for name in recorded if name != ATTESTATION_DIRECTORY and ignore_problem(name) is None)


def collision_key(name: str) -> str:
    """Return what file systems that fold case or normalise Unicode take two names to be equal by."""
    return name.lower() if name.isascii() else unicodedata.normalize("NFC", name).casefold()
