"""``provenance roster show``: who may contribute, and whether the maintainers signed it."""

from __future__ import annotations

import click

from cli.console import tell, write_out
from cli.options import FILE, command

__all__ = ["show"]


@command()
@click.argument("roster", type=FILE)
@click.option(
    "--roster-key",
    "roster_keys",
    type=FILE,
    multiple=True,
    help="Public key of a maintainer whose signature counts; may be repeated.",
)
@click.option("--key", "keys", type=FILE, multiple=True, help="The same, where no --roster-key is given.")
@click.option(
    "--threshold",
    type=click.IntRange(min=1),
    default=1,
    help="Ask for so many maintainers, even where the roster asks for fewer.",
)
@click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", help="How to write it."
)
def show(
    roster: str, roster_keys: tuple[str, ...], keys: tuple[str, ...], threshold: int, format_: str
) -> int:
    """Show the contributors of a roster.

    With --roster-key the signatures are verified first: 1 when they are too few or the roster is older than one
    seen before, 3 when there are none. Without, it is shown as what anybody may have written.
    """
    from pathlib import Path

    from cli.rendering.rosters import refusal_json, roster_json, roster_text
    from cli.rendering.text import render_finding
    from provenance.errors import Malformed, Refused, Undecided
    from provenance.trust.roster import load_roster
    from provenance.trust.roster_files import read_roster

    render = roster_json if format_ == "json" else roster_text
    trusted = roster_keys or keys
    if not trusted:
        write_out(render(read_roster(Path(roster)).roster, None))
        return 0
    try:
        found = load_roster(roster, roster_keys=trusted, threshold=threshold)
    except (Malformed, Refused, Undecided) as problem:
        if format_ == "json":
            write_out(refusal_json(problem, roster))
        raise
    for each in found.findings:
        tell(render_finding(each))
    write_out(render(found.roster, found))
    return 0
