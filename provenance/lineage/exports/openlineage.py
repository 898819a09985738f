"""OpenLineage 2-0-2: one run event a statement, as an array."""

from __future__ import annotations

import uuid
from typing import Any, Final

from provenance.lineage.exports.graph import NAMESPACE, ExportGraph, Making
from provenance.lineage.exports.texts import json_text, plain, timestamp

__all__ = ["write"]

_SCHEMA: Final = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
_PRODUCER: Final = "https://ml-provenance.readthedocs.io/"


def write(graph: ExportGraph) -> str:
    """Write the events, sources first."""
    return json_text([_event(graph, making) for making in reversed(graph.makings)])


def _event(graph: ExportGraph, making: Making) -> dict[str, Any]:
    return {
        "eventType": "COMPLETE",
        "eventTime": timestamp(making.time or graph.made),
        "run": {"runId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{NAMESPACE}{making.statement}")), "facets": {}},
        "job": {"namespace": "ml-provenance", "name": plain(making.kind), "facets": {}},
        "inputs": [_dataset(graph, number) for number, _ in making.inputs],
        "outputs": [_dataset(graph, making.output)],
        "producer": _PRODUCER,
        "schemaURL": _SCHEMA,
    }


def _dataset(graph: ExportGraph, number: int) -> dict[str, Any]:
    artifact = graph.artifacts[number]
    name = f"sha256:{artifact.digest}" if artifact.digest else plain(artifact.name)
    facets: dict[str, Any] = {
        "documentation": {
            "_producer": _PRODUCER,
            "_schemaURL": "https://openlineage.io/spec/facets/1-0-1/DocumentationDatasetFacet.json",
            "description": f"{plain(artifact.name)} ({artifact.kind}, lineage {artifact.status})",
        }
    }
    if artifact.contributor:
        facets["ownership"] = {
            "_producer": _PRODUCER,
            "_schemaURL": "https://openlineage.io/spec/facets/1-0-1/OwnershipDatasetFacet.json",
            "owners": [{"name": plain(artifact.contributor), "type": "CONTRIBUTOR"}],
        }
    return {"namespace": "ml-provenance", "name": name, "facets": facets}
