"""``provenance lineage impact``: forward to everything that holds something of one source."""

from __future__ import annotations

from typing import Any

import click

from cli.commands.lineage.options import depth_option, lineage_options, record_option
from cli.options import FILE, command
from cli.rendering.report import Report

__all__ = ["impact"]


@command()
@click.argument("path", type=FILE, required=False)
@click.option(
    "--contributor", default="", metavar="ID", help="Everything that holds data of this contributor."
)
@click.option(
    "--revoked-key", type=FILE, metavar="PUB", help="Everything that rests on what this key signed."
)
@record_option
@depth_option(None, "Look so many steps ahead; else to the end.")
@lineage_options
def impact(path: str | None, format: str, output: str | None, **options: Any) -> int:  # noqa: A002
    """List everything that holds something of PATH, of a contributor, or of what a key signed, with the way to it.

    PATH is a file, a directory, or `sha256:` and a root digest. It ends with 0 once the question is answered, whether
    or not anything is tainted.
    """
    from cli.judging import judge

    asked = path or options["contributor"] or options["revoked_key"] or ""
    return judge("lineage impact", asked, lambda: _impact(path, asked, options), format, output)


def _impact(path: str | None, asked: str, options: dict[str, Any]) -> Report:
    from cli.rendering.lineage import impact_report
    from provenance.lineage.impact import impact as impact_of

    depth = options.pop("max_depth")
    bound = {} if depth is None else {"max_depth": depth}
    return impact_report(impact_of(path, **options, **bound), asked)
