"""CycloneDX 1.7 (ECMA-424) as a machine learning bill of materials."""

from __future__ import annotations

import re
from typing import Any, Final

from provenance.lineage.exports.graph import ExportGraph, identifier
from provenance.lineage.exports.texts import json_text, plain, timestamp

__all__ = ["write"]

_SPDX_ID: Final = re.compile(r"[A-Za-z0-9.+-]+\Z")


def write(graph: ExportGraph) -> str:
    """Write the bill: artifacts as components, and what each was made from as its dependencies."""
    components = [_component(graph, number) for number in range(len(graph.artifacts))]
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.7.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.7",
        "serialNumber": f"urn:uuid:{identifier(graph, 'cyclonedx')}",
        "version": 1,
        "metadata": {
            "timestamp": timestamp(graph.made),
            "tools": {"components": [{"type": "application", "name": "ml-provenance"}]},
            "component": components[0],
            "properties": [{"name": "ml-provenance:lineage", "value": graph.status}],
        },
        "dependencies": [_dependency(graph, number) for number in range(len(graph.artifacts))],
    }
    if len(components) > 1:
        document["components"] = components[1:]
    return json_text(document)


def _component(graph: ExportGraph, number: int) -> dict[str, Any]:
    artifact = graph.artifacts[number]
    told: dict[str, Any] = {
        "type": "machine-learning-model" if artifact.kind == "model" else "data",
        "bom-ref": f"artifact-{number}",
        "name": plain(artifact.name),
        "properties": [{"name": "ml-provenance:status", "value": artifact.status}],
    }
    if artifact.digest:
        # The root digest identifies; a hash here is one of the file's own bytes.
        told["properties"].append({"name": "ml-provenance:root-digest", "value": f"sha256:{artifact.digest}"})
    if artifact.file_sha256:
        told["hashes"] = [{"alg": "SHA-256", "content": artifact.file_sha256}]
    if artifact.contributor:
        told["authors"] = [{"name": plain(artifact.contributor)}]
    if artifact.licence:
        told["licenses"] = [_licence(artifact.licence)]
    data = sorted(
        {source for making in graph.makings if making.output == number for source, _ in making.inputs}
    )
    datasets = [source for source in data if graph.artifacts[source].kind == "data"]
    if artifact.kind == "model" and datasets:
        references = [{"ref": f"artifact-{source}"} for source in datasets]
        told["modelCard"] = {"modelParameters": {"datasets": references}}
    return told


def _licence(text: str) -> dict[str, Any]:
    if _SPDX_ID.match(text):
        return {
            "license": {"name": text}
        }  # whether the list of SPDX knows the identifier is not checked here
    return {"expression": text}


def _dependency(graph: ExportGraph, number: int) -> dict[str, Any]:
    sources = dict.fromkeys(
        f"artifact-{source}"
        for making in graph.makings
        if making.output == number
        for source, _ in making.inputs
    )
    return {"ref": f"artifact-{number}", **({"dependsOn": list(sources)} if sources else {})}
