"""SPDX 3.0.1 as JSON-LD, with the profiles for AI and data sets."""

from __future__ import annotations

from typing import Any, Final

from provenance.lineage.exports.graph import NAMESPACE, ExportGraph, identifier
from provenance.lineage.exports.texts import json_text, plain, timestamp

__all__ = ["write"]

_CONTEXT: Final = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
_CREATION: Final = "_:creation"


def write(graph: ExportGraph) -> str:
    """Write the document: packages, who gave them, and the relationships between them."""
    prefix = f"{NAMESPACE}spdx/{identifier(graph, 'spdx')}/"
    elements = [
        _agent(prefix),
        *_people(graph, prefix),
        *(_package(graph, number, prefix) for number in range(len(graph.artifacts))),
        *_relationships(graph, prefix),
    ]
    creation = {
        "type": "CreationInfo",
        "@id": _CREATION,
        "specVersion": "3.0.1",
        "created": timestamp(graph.made),
        "createdBy": [f"{prefix}tool"],
    }
    document = _element(
        "SpdxDocument",
        f"{prefix}document",
        profileConformance=["core", "software", "ai", "dataset"],
        rootElement=[f"{prefix}artifact-0"],
        element=[each["spdxId"] for each in elements],
    )
    return json_text({"@context": _CONTEXT, "@graph": [creation, *elements, document]})


def _element(kind: str, spdx_id: str, **members: Any) -> dict[str, Any]:
    return {"type": kind, "spdxId": spdx_id, "creationInfo": _CREATION, **members}


def _agent(prefix: str) -> dict[str, Any]:
    return _element("SoftwareAgent", f"{prefix}tool", name="ml-provenance")


def _contributors(graph: ExportGraph) -> dict[str, int]:
    names = dict.fromkeys(each.contributor for each in graph.artifacts if each.contributor)
    return {name: number for number, name in enumerate(names)}


def _people(graph: ExportGraph, prefix: str) -> list[dict[str, Any]]:
    return [
        _element("Agent", f"{prefix}contributor-{number}", name=plain(name))
        for name, number in _contributors(graph).items()
    ]


def _package(graph: ExportGraph, number: int, prefix: str) -> dict[str, Any]:
    artifact = graph.artifacts[number]
    model = artifact.kind == "model"
    members: dict[str, Any] = {
        "name": plain(artifact.name),
        "comment": f"lineage {artifact.status}",
        "software_primaryPurpose": "model" if model else "data",
    }
    if artifact.digest:
        members["verifiedUsing"] = [
            {
                "type": "Hash",
                "algorithm": "sha256",
                "hashValue": artifact.digest,
                "comment": "OMS root digest",
            }
        ]
    if artifact.contributor:
        members["suppliedBy"] = f"{prefix}contributor-{_contributors(graph)[artifact.contributor]}"
    if not model:
        members["dataset_datasetType"] = ["other"]
    return _element(
        "ai_AIPackage" if model else "dataset_DatasetPackage", f"{prefix}artifact-{number}", **members
    )


def _relationships(graph: ExportGraph, prefix: str) -> list[dict[str, Any]]:
    found = []
    for number, making in enumerate(graph.makings):
        for position, (source, role) in enumerate(making.inputs):
            members = {
                "from": f"{prefix}artifact-{making.output}",
                "to": [f"{prefix}artifact-{source}"],
                "relationshipType": _relationship(graph, making.output, source),
                "comment": plain(f"{making.kind}, {role}: says {making.signer}"),
            }
            found.append(_element("Relationship", f"{prefix}relationship-{number}-{position}", **members))
    return found


def _relationship(graph: ExportGraph, output: int, source: int) -> str:
    """A model is trained on data; everything else descends from what it was made from."""
    trained = graph.artifacts[output].kind == "model" and graph.artifacts[source].kind == "data"
    return "trainedOn" if trained else "descendantOf"
