"""Where an artifact lies on this machine, as the place of a statement about it tells: for people, not for proof."""

from __future__ import annotations

import os

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
    directory, leaf = os.path.split(claim.where)
    candidates = []
    if os.path.basename(directory) == ATTESTATION_DIRECTORY:
        root = os.path.dirname(directory)
        candidates = [os.path.join(root, reference.name)] if _is_plain(reference.name) else []
        if os.path.basename(root) == reference.name:
            candidates.insert(0, root)
    elif leaf == DEFAULT_SIGNATURE:
        candidates = [directory]
    elif leaf.endswith(_SUFFIX):
        candidates = [os.path.join(directory, leaf.removesuffix(_SUFFIX))]
    return next((path for path in candidates if os.path.lexists(path)), None)


def _is_plain(name: str) -> bool:
    """A name in a statement must not point anywhere else."""
    return bool(name) and "/" not in name and "\0" not in name and name not in {".", ".."}
