"""Where an artifact lies on this machine, as the place of a statement about it tells: for people, not for proof."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from itertools import islice
from typing import Final

from provenance.artifacts.names import ATTESTATION_DIRECTORY, DEFAULT_SIGNATURE
from provenance.lineage.claims import Claim
from provenance.lineage.references import Reference

__all__ = ["Exists", "Listings", "exists", "located", "place_of"]

_SUFFIX: Final = ".sigstore.json"
# So often is a directory asked about before it is listed, and so many entries may it have then.
_PATIENCE: Final = 8
_MOST_LISTED: Final = 2048

Exists = Callable[[str, str], bool]
"""Whether a directory, given with its last slash, holds a name."""


def exists(directory: str, name: str) -> bool:
    """Say whether anything is there, a broken link too, without building the record that nobody reads."""
    if os.access in os.supports_follow_symlinks:
        return os.access(directory + name, os.F_OK, follow_symlinks=False)
    return os.path.lexists(directory + name)


class Listings:
    """Tells what exists, and lists a directory once that it is often asked about.

    Each look by itself is a round trip where files lie on another machine.
    """

    def __init__(self) -> None:
        self._asked: dict[str, int] = {}
        self._listed: dict[str, frozenset[str] | None] = {}

    def exists(self, directory: str, name: str) -> bool:
        """Do as ``exists`` does."""
        listed = self._listed.get(directory)
        if listed is not None:
            return name in listed
        asked = self._asked[directory] = self._asked.get(directory, 0) + 1
        if asked == _PATIENCE:
            self._listed[directory] = _listed(directory)
        return exists(directory, name)


def located(claim: Claim, reference: Reference, holds: Exists = exists) -> str:
    """Return the path beside whose attestations a claim about an artifact lies; its name where nothing is there."""
    found = place_of(claim, reference, holds)
    return found if found is not None else reference.name


def place_of(claim: Claim, reference: Reference, holds: Exists = exists) -> str | None:
    """Return that path, None where nothing is there: a name that somebody wrote is never taken for a path."""
    for directory, name in _candidates(claim.where, reference.name):
        if holds(directory, name):
            return directory + name
    return None


def _candidates(where: str, name: str) -> list[tuple[str, str]]:
    root, root_name, above = _attested(where.rpartition(os.sep)[0])
    if root:
        beside = [(root, name)] if _is_plain(name) else []
        return [(above, root_name), *beside] if root_name == name else beside
    directory, leaf = os.path.split(where)
    if leaf == DEFAULT_SIGNATURE:
        return [_split(directory)]
    return [(os.path.join(directory, ""), leaf.removesuffix(_SUFFIX))] if leaf.endswith(_SUFFIX) else []


@lru_cache(maxsize=1024)
def _attested(directory: str) -> tuple[str, str, str]:
    """Return what a directory of attestations is about: its path, its name, the path above it; "" of others."""
    root, name = os.path.split(directory)
    if name != ATTESTATION_DIRECTORY:
        return "", "", ""
    above, root_name = _split(root)
    return os.path.join(root, ""), root_name, above


def _split(path: str) -> tuple[str, str]:
    """Return the directory, with its last slash, and the name; together they are the path."""
    above, name = os.path.split(path)
    return (os.path.join(above, ""), name) if above else ("", name)


def _is_plain(name: str) -> bool:
    """A name in a statement must not point anywhere else."""
    return bool(name) and "/" not in name and "\0" not in name and name not in {".", ".."}


def _listed(directory: str) -> frozenset[str] | None:
    """Return the names in a directory, None where they are too many or cannot be read."""
    try:
        with os.scandir(directory or ".") as entries:
            names = frozenset(entry.name for entry in islice(entries, _MOST_LISTED + 1))
    except OSError:
        return None
    return names if len(names) <= _MOST_LISTED else None
