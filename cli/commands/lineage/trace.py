"""``provenance lineage trace``: back to everybody who contributed."""

from __future__ import annotations

from typing import Any

from cli.commands.lineage.options import depth_option, lineage_options, record_option
from cli.options import command, path_argument
from cli.rendering.report import Report

__all__ = ["trace"]


@command()
@path_argument
@record_option
@depth_option(16, "Look so many steps back.")
@lineage_options
def trace(path: str, format: str, output: str | None, **options: Any) -> int:  # noqa: A002
    """Follow PATH back to its sources: 0 proven, 1 asserted only or wrong, 3 missing.

    It is proven where every way ends in a contribution by a member of the roster, or in an artifact that one of the
    keys signed. With --record the answer is about one record of a data set, with a proof that it is in the batch that
    its contributor signed.
    """
    from cli.judging import judge

    return judge("lineage trace", path, lambda: _trace(path, options), format, output)


def _trace(path: str, options: dict[str, Any]) -> Report:
    from cli.progress import progress
    from cli.rendering.lineage import trace_report
    from provenance.lineage.lineage import trace as trace_artifact

    with progress("reading", [path]) as advance:
        return trace_report(trace_artifact(path, progress=advance, **options))
