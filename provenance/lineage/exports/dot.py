"""DOT for Graphviz (https://graphviz.org/doc/info/lang.html)."""

from __future__ import annotations

from provenance.lineage.exports.graph import ExportGraph
from provenance.lineage.exports.texts import plain

__all__ = ["write"]

_STYLES = {"proven": "solid", "asserted": "dashed", "missing": "dotted"}


def write(graph: ExportGraph) -> str:
    """Write the graph, sources on the left; the line's style tells proven, asserted and missing."""
    lines = ["digraph lineage {", "  rankdir=LR;", '  node [shape=box, fontname="sans-serif"];']
    for number, artifact in enumerate(graph.artifacts):
        by = f"\\n{_quoted(artifact.contributor)}" if artifact.contributor else ""
        style = _STYLES.get(artifact.status, "dotted")
        lines.append(f'  n{number} [label="{_quoted(artifact.name)}{by}", style={style}];')
    for making in graph.makings:
        for number, role in making.inputs:
            label = _quoted(f"{making.kind}, {role}" if role else making.kind)
            lines.append(f'  n{number} -> n{making.output} [label="{label}"];')
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    return plain(text).replace("\\", "\\\\").replace('"', '\\"')
