"""Where an artifact lies on this machine, as the place of a statement about it tells: for people, not for proof."""

from __future__ import annotations

import os
from functools import lru_cache

from provenance.artifacts.names import ATTESTATION_DIRECTORY, DEFAULT_SIGNATURE
from provenance.lineage.claims import Claim
from provenance.lineage.references import Reference

__all__ = ["located", "place_of"]

_SUFFIX = ".sigstore.json"


def located(claim: Claim, reference: Reference) -> str:
    """Return the path beside whose attestations a claim about an artifact lies; its name where nothing is there."""
    found = place_of(claim, reference)
    return found if found is not None else reference.name


def place_of(claim: Claim, reference: Reference) -> str | None:
    """Return that path, None where nothing is there: a name that somebody wrote is never taken for a path."""
    for path in _candidates(claim.where, reference.name):
        if os.path.lexists(path):
            return path
    return None


def _candidates(where: str, name: str) -> list[str]:
    root, root_name = _attested(where.rpartition(os.sep)[0])
    if root:
        beside = [root + name] if _is_plain(name) else []
        return [os.path.dirname(root), *beside] if root_name == name else beside
    directory, leaf = os.path.split(where)
    if leaf == DEFAULT_SIGNATURE:
        return [directory]
    return [os.path.join(directory, leaf.removesuffix(_SUFFIX))] if leaf.endswith(_SUFFIX) else []


@lru_cache(maxsize=1024)
def _attested(directory: str) -> tuple[str, str]:
    """Return what a directory of attestations is about: the path with its last slash, and the name; "" of others."""
    above, name = os.path.split(directory)
    return (os.path.join(above, ""), os.path.basename(above)) if name == ATTESTATION_DIRECTORY else ("", "")


def _is_plain(name: str) -> bool:
    """A name in a statement must not point anywhere else."""
    return bool(name) and "/" not in name and "\0" not in name and name not in {".", ".."}
