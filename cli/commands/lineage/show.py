"""``provenance lineage show``: the neighbourhood of an artifact."""

from __future__ import annotations

from typing import Any

from cli.commands.lineage.options import depth_option, lineage_options
from cli.options import command, path_argument
from cli.rendering.report import Report

__all__ = ["show"]


@command()
@path_argument
@depth_option(1, "Show so many steps each way.")
@lineage_options
def show(path: str, format: str, output: str | None, **options: Any) -> int:  # noqa: A002
    """Show what PATH was made from, and what was made from it, as a tree; nothing is judged.

    Each line says how the one above was made from it, who says so, and whether that is proven, asserted or missing.
    """
    from cli.judging import judge

    return judge("lineage show", path, lambda: _show(path, options), format, output)


def _show(path: str, options: dict[str, Any]) -> Report:
    from cli.progress import progress
    from cli.rendering.lineage import neighbourhood_report
    from provenance.lineage.neighbourhood import neighbourhood

    with progress("reading", [path]) as advance:
        return neighbourhood_report(neighbourhood(path, progress=advance, **options))
