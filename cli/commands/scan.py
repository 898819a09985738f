"""``provenance scan``: static inspection of model files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from cli.options import FILE, command, format_option, output_option, policy_option
from cli.rendering.report import Report

if TYPE_CHECKING:
    from provenance.scanning.verb import Scan

__all__ = ["scan"]


@command()
@click.argument("paths", type=FILE, nargs=-1, required=True, metavar="PATH...")
@policy_option
@click.option(
    "--minimal-allowlist",
    is_flag=True,
    help="Print the part of a policy that allows what the pickles import, and judge by it.",
)
@format_option
@output_option
def scan(
    paths: tuple[str, ...],
    policy: str | None,
    minimal_allowlist: bool,
    format: str,  # noqa: A002
    output: str | None,
) -> int:
    """Inspect model files without running anything in them.

    Formats are told by content, never by name. Without --policy the built-in `harmless` judges: whatever can run
    code when it is loaded is refused, and a format that is not known is left undecided. Who signed the files is
    not asked; `provenance verify` does that. A PATH may be a pattern in quotes (`'models/**/*.pt'`), or - for
    standard input (at most 1 GiB, held in memory).
    """
    from cli.judging import judge

    if minimal_allowlist and format not in ("text", "json"):
        raise click.UsageError("--minimal-allowlist is written as text (TOML) or JSON")
    work = _allowlist if minimal_allowlist else _scan
    return judge(
        "scan",
        " ".join(paths),
        lambda: work(paths, policy or "harmless"),
        "toml" if minimal_allowlist and format == "text" else format,
        output,
    )


def _scan(paths: tuple[str, ...], policy: str) -> Report:
    from provenance.scanning.verb import scan as scan_files

    return _report(paths, policy, scan_files(list(paths), policy=policy, contents=_contents(paths)))


def _allowlist(paths: tuple[str, ...], policy: str) -> Report:
    from provenance.scanning.minimal import allowlist_for

    found = allowlist_for(list(paths), policy=policy, contents=_contents(paths))
    details = {
        "profiles": list(found.profiles),
        "allow_globals": list(found.globals),
        "impossible": list(found.impossible),
        "known_to_profiles": dict(found.known),
        "toml": found.toml(),
    }
    return _report(paths, policy, found.scan, details)


def _contents(paths: tuple[str, ...]) -> dict[str, bytes]:
    """What stands in memory: standard input, where it is named."""
    from cli.standard_input import NAME, read_standard_input

    return {NAME: read_standard_input()} if NAME in paths else {}


def _report(
    paths: tuple[str, ...], policy: str, found: Scan, details: Mapping[str, Any] | None = None
) -> Report:
    alone = paths[0] if len(paths) == 1 else ""
    return Report(
        command="scan",
        subject=" ".join(paths),
        base=alone if os.path.isdir(alone) else "",
        decision=found.decision,
        exit_status=found.exit_status,
        findings=found.findings,
        policy=policy,
        checked_files=len(found.files),
        checked_bytes=sum(file.size for file in found.files),
        files=found.files,
        details=details or {},
    )
