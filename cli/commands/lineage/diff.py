"""``provenance lineage diff``: two artifacts by their sources."""

from __future__ import annotations

from typing import Any

import click

from cli.commands.lineage.options import depth_option, lineage_options
from cli.options import FILE, command
from cli.rendering.report import Report

__all__ = ["diff"]


@command()
@click.argument("before", type=FILE)
@click.argument("after", type=FILE)
@depth_option(16, "Look so many steps back.")
@lineage_options
def diff(before: str, after: str, format: str, output: str | None, **options: Any) -> int:  # noqa: A002
    """Compare what BEFORE and AFTER were made from: what came, what went, what changed or has another signer."""
    from cli.judging import judge

    return judge("lineage diff", after, lambda: _diff(before, after, options), format, output)


def _diff(before: str, after: str, options: dict[str, Any]) -> Report:
    from cli.rendering.lineage import diff_report
    from provenance.lineage.lineage import trace

    return diff_report(trace(before, **options).diff(trace(after, **options)), after)
