"""Croissant 1.1 (https://docs.mlcommons.org/croissant): the data behind an artifact as one described data set."""

from __future__ import annotations

from typing import Any, Final

from provenance.lineage.exports.graph import NAMESPACE, ExportGraph
from provenance.lineage.exports.texts import json_text, plain, timestamp

__all__ = ["write"]

# The terms of the format, whether they occur here or not: readers expect the whole context.
_TERMS: Final = (
    "citeAs column equivalentProperty extract field fileObject fileProperty fileSet format includes isLiveDataset "
    "jsonPath key md5 parentField path recordSet references regex repeated replace samplingRate separator source "
    "subField transform"
)
_CONTEXT: Final[dict[str, Any]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{term: f"cr:{term}" for term in _TERMS.split()},
    "wasDerivedFrom": {"@id": "prov:wasDerivedFrom", "@type": "@id"},
    "wasAttributedTo": {"@id": "prov:wasAttributedTo", "@type": "@id"},
}


def write(graph: ExportGraph) -> str:
    """Write the data set: every source as a file with its digest, licence and contributor."""
    first = graph.artifacts[0]
    licences = sorted({artifact.licence for artifact in graph.artifacts if artifact.licence})
    people = list(dict.fromkeys(each.contributor for each in graph.artifacts if each.contributor))
    document: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "@id": f"{NAMESPACE}{first.digest}",
        "name": plain(first.name),
        "description": f"Data behind {plain(first.name)}; its lineage is {graph.status}.",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "url": f"{NAMESPACE}{first.digest}",
        "datePublished": timestamp(graph.made)[:10],
        "license": [plain(each) for each in licences] or ["not stated"],
        "creator": [{"@type": "sc:Person", "name": plain(name)} for name in people],
        "distribution": [
            _file(graph, number) for number, each in enumerate(graph.artifacts) if each.kind == "data"
        ],
    }
    return json_text(document)


def _file(graph: ExportGraph, number: int) -> dict[str, Any]:
    artifact = graph.artifacts[number]
    told: dict[str, Any] = {
        "@type": "cr:FileObject",
        "@id": f"artifact-{number}",
        "name": plain(artifact.name),
        "contentUrl": plain(artifact.name),
        "encodingFormat": "application/octet-stream",
        "description": f"lineage {artifact.status}; root digest sha256:{artifact.digest}",
    }
    if artifact.file_sha256:
        told["sha256"] = artifact.file_sha256
    if artifact.contributor:
        told["wasAttributedTo"] = [{"@type": "prov:Agent", "prov:label": plain(artifact.contributor)}]
    sources = [source for making in graph.makings if making.output == number for source, _ in making.inputs]
    if sources:
        told["wasDerivedFrom"] = [f"artifact-{source}" for source in dict.fromkeys(sources)]
    return told
