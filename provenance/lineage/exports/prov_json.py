"""PROV-JSON (W3C member submission of 24 April 2013): entities, activities, agents and how they hang together."""

from __future__ import annotations

from typing import Any

from provenance.lineage.exports.graph import NAMESPACE, ExportGraph, Making
from provenance.lineage.exports.texts import json_text, plain, timestamp

__all__ = ["write"]


def write(graph: ExportGraph) -> str:
    """Write the document; artifacts are entities, statements activities, signers and contributors agents."""
    agents = _agents(graph)
    document: dict[str, Any] = {
        "prefix": {"mlp": NAMESPACE},
        "entity": {
            f"mlp:artifact-{number}": _entity(graph, number) for number in range(len(graph.artifacts))
        },
    }
    if graph.makings:
        document["activity"] = {
            f"mlp:making-{number}": _activity(making) for number, making in enumerate(graph.makings)
        }
        document |= _relations(graph, agents)
    attributed = {
        f"_:attribution-{number}": {
            "prov:entity": f"mlp:artifact-{number}",
            "prov:agent": f"mlp:agent-{agents[artifact.contributor]}",
        }
        for number, artifact in enumerate(graph.artifacts)
        if artifact.contributor
    }
    if attributed:
        document["wasAttributedTo"] = attributed
    if agents:
        document["agent"] = {
            f"mlp:agent-{number}": {"prov:label": plain(name)} for name, number in agents.items()
        }
    return json_text(document)


def _agents(graph: ExportGraph) -> dict[str, int]:
    names = [artifact.contributor for artifact in graph.artifacts if artifact.contributor]
    names += [making.signer for making in graph.makings if making.signer]
    return {name: number for number, name in enumerate(dict.fromkeys(names))}


def _entity(graph: ExportGraph, number: int) -> dict[str, Any]:
    artifact = graph.artifacts[number]
    told = {
        "prov:label": plain(artifact.name),
        "mlp:kind": artifact.kind,
        "mlp:status": artifact.status,
        "mlp:sha256": artifact.digest,
        "mlp:licence": plain(artifact.licence),
    }
    return {name: value for name, value in told.items() if value}


def _activity(making: Making) -> dict[str, Any]:
    told: dict[str, Any] = {"mlp:kind": plain(making.kind), "mlp:statement": plain(making.statement)}
    if making.time is not None:
        told["prov:endTime"] = timestamp(making.time)
    return told


def _relations(graph: ExportGraph, agents: dict[str, int]) -> dict[str, Any]:
    generated, used, derived, associated = {}, {}, {}, {}
    for number, making in enumerate(graph.makings):
        activity, output = f"mlp:making-{number}", f"mlp:artifact-{making.output}"
        generated[f"_:generation-{number}"] = {"prov:entity": output, "prov:activity": activity}
        if making.signer:
            agent = f"mlp:agent-{agents[making.signer]}"
            associated[f"_:association-{number}"] = {"prov:activity": activity, "prov:agent": agent}
        for position, (source, role) in enumerate(making.inputs):
            told = {"prov:activity": activity, "prov:entity": f"mlp:artifact-{source}"}
            used[f"_:use-{number}-{position}"] = told | ({"prov:role": plain(role)} if role else {})
            derived[f"_:derivation-{number}-{position}"] = {
                "prov:generatedEntity": output,
                "prov:usedEntity": f"mlp:artifact-{source}",
                "prov:activity": activity,
            }
    relations = {
        "wasGeneratedBy": generated,
        "used": used,
        "wasDerivedFrom": derived,
        "wasAssociatedWith": associated,
    }
    return {name: value for name, value in relations.items() if value}
