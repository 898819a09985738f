"""``provenance lineage export``: a lineage in the formats of other tools."""

from __future__ import annotations

from typing import Any

import click

from cli.commands.lineage.options import depth_option, trust_options
from cli.options import command, output_option, path_argument

__all__ = ["export"]

_FORMATS = ("cyclonedx", "spdx", "croissant", "openlineage", "prov-json", "mermaid", "dot")


@command()
@path_argument
@click.option("--format", "format", type=click.Choice(_FORMATS), required=True, help="What to write.")
@depth_option(16, "Look so many steps back.")
@trust_options
@output_option
def export(path: str, format: str, output: str | None, **options: Any) -> int:  # noqa: A002
    """Write what PATH was made from for other tools; exit status 0 once it is written.

    Each artifact carries the status that `provenance lineage trace` gives it: proven, asserted or missing.
    """
    from cli.console import note, write_out
    from cli.judging import save
    from provenance.lineage.exports import export as write
    from provenance.lineage.lineage import trace

    found = trace(path, **options)
    text = write(found.graph(), format)
    if output is None:
        write_out(text)
    else:
        save(output, text)
    if found.status != "proven":
        note(f"the lineage is {found.status}, and the export says so")
    return 0
