"""What other tools note of where things come from, one file a tool: nobody signed it, so it is asserted at most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provenance.errors import ProvenanceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provenance.lineage.claims import Claim
    from provenance.lineage.finding import Place

__all__ = ["unsigned_claims"]


def unsigned_claims(place: Place) -> Iterator[Claim]:
    """Read the notes of another tool; what cannot be read, or is not in its form, says nothing."""
    try:
        if place.kind == "dvc":
            from provenance.lineage.importers.dvc import read_dvc_lock

            yield from read_dvc_lock(place.path)
        elif place.kind == "mlflow":
            from provenance.lineage.importers.mlflow import read_mlflow_run

            yield from read_mlflow_run(place.path)
        elif place.kind == "card":
            from provenance.lineage.importers.cards import read_model_card

            yield from read_model_card(place.path)
    except ProvenanceError:
        return
