"""``provenance scan``: static inspection of model files."""

from __future__ import annotations

import os

import click

from cli.options import FILE, command, format_option, output_option, policy_option
from cli.rendering.report import Report

__all__ = ["scan"]


@command()
@click.argument("paths", type=FILE, nargs=-1, required=True, metavar="PATH...")
@policy_option
@format_option
@output_option
def scan(paths: tuple[str, ...], policy: str | None, format: str, output: str | None) -> int:  # noqa: A002
    """Inspect model files without running anything in them.

    Formats are told by content, never by name. Without --policy the built-in `harmless` judges: whatever can run
    code when it is loaded is refused, and a format that is not known is left undecided. Who signed the files is
    not asked; `provenance verify` does that.
    """
    from cli.judging import judge

    return judge("scan", " ".join(paths), lambda: _scan(paths, policy or "harmless"), format, output)


def _scan(paths: tuple[str, ...], policy: str) -> Report:
    from provenance.scanning.verb import scan as scan_files

    found = scan_files(list(paths), policy=policy)
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
    )
