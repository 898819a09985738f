"""Lineages in the formats of other tools: written, never read, and never the source of truth."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final

from provenance.lineage.exports.graph import ExportGraph, export_graph

__all__ = ["EXPORTS", "ExportGraph", "export", "export_graph"]

EXPORTS: Final = ("cyclonedx", "spdx", "croissant", "openlineage", "prov-json", "mermaid", "dot")


def export(graph: ExportGraph, form: str) -> str:
    """Write a graph in one of the formats of ``EXPORTS``; raises ``ValueError`` for another one."""
    if form not in EXPORTS:
        raise ValueError(f"there is no export format {form!r}; there are {', '.join(EXPORTS)}")
    write: Callable[[ExportGraph], str] = import_module(
        f"provenance.lineage.exports.{form.replace('-', '_')}"
    ).write
    return write(graph)
