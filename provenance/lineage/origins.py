"""The sidecar of origins beside a statement of curation; it counts where the statement names its digest."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from provenance.attestations.slsa import read_provenance, role_of
from provenance.errors import Malformed, ProvenanceError, Unreadable
from provenance.lineage.claims import Claim
from provenance.lineage.curating import origins_path
from provenance.lineage.finding import read_bounded
from provenance.lineage.index import reopened
from provenance.lineage.matching import ORIGIN_BYTES, origin_at

__all__ = ["OriginsFile", "read_origins"]

_MOST_BYTES: Final = 1024**3


class OriginsFile(NamedTuple):
    """The content of a sidecar whose digest its statement names."""

    data: bytes

    def at(self, index: int) -> tuple[int, int] | None:
        """Return input and leaf that a record is from; None where that is not known."""
        return origin_at(self.data, index)

    def of(self, position: int, leaf: int) -> frozenset[int]:
        """Return the records of the output that are from one record of an input."""
        pairs = np.frombuffer(self.data, dtype="<u4").reshape(-1, 2)
        return frozenset(np.flatnonzero((pairs[:, 0] == position) & (pairs[:, 1] == leaf)).tolist())


def read_origins(claim: Claim) -> OriginsFile:
    """Read the origins that a statement of curation speaks of.

    Raises ``Unreadable`` (LIN016) where they are not there, ``Malformed`` (LIN019) where they are not those.
    """
    predicate = read_provenance(reopened(claim).statement)
    named = [each for each in predicate.run_details.byproducts if role_of(each) == "origins"]
    if not named:
        raise Unreadable("the statement has no origins of records", code="LIN016")
    place = origins_path(Path(claim.where))
    try:
        data = read_bounded(str(place), min(_MOST_BYTES, max(claim.records, 0) * ORIGIN_BYTES))
    except ProvenanceError as error:
        kind = Malformed if isinstance(error, Malformed) else Unreadable
        code = "LIN019" if isinstance(error, Malformed) else "LIN016"
        raise kind(f"the origins {place}: {error.message}", code=code) from error
    if hashlib.sha256(data).hexdigest() != named[0].digest.get("sha256"):
        raise Malformed(f"the origins {place} are not those that were signed", code="LIN019")
    return OriginsFile(data)
