"""Mermaid flowcharts (https://mermaid.js.org/syntax/flowchart.html): a diagram for Markdown."""

from __future__ import annotations

from provenance.lineage.exports.graph import ExportGraph
from provenance.lineage.exports.texts import plain

__all__ = ["write"]

# Entities that Mermaid has for characters with a meaning; `#` first.
_ENTITIES = {each: f"#{ord(each)};" for each in '#"<>[](){}|`&;\\%'}


def write(graph: ExportGraph) -> str:
    """Write the flowchart, sources on the left; colours tell proven, asserted and missing."""
    lines = ["flowchart LR"]
    for number, artifact in enumerate(graph.artifacts):
        by = f"<br/>{_label(artifact.contributor)}" if artifact.contributor else ""
        lines.append(f'  n{number}["{_label(artifact.name)}{by}"]:::{artifact.status}')
    for making in graph.makings:
        for number, role in making.inputs:
            label = _label(f"{making.kind}, {role}" if role else making.kind)
            lines.append(f'  n{number} -->|"{label}"| n{making.output}')
    lines += [
        "  classDef proven stroke:#1a7f37,stroke-width:2px",
        "  classDef asserted stroke:#9a6700,stroke-dasharray:6 3",
        "  classDef missing stroke:#cf222e,stroke-dasharray:2 3",
    ]
    return "\n".join(lines) + "\n"


def _label(text: str) -> str:
    return "".join(_ENTITIES.get(each, each) for each in plain(text))
