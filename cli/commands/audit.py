"""``provenance audit``: all that can be shown of an artifact, for a person who must answer for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cli.options import FILE, command, output_option, path_argument, policy_option

if TYPE_CHECKING:
    from cli.rendering.report import Report

__all__ = ["audit"]

_FORMATS = ("text", "json", "sarif", "html")


@command()
@path_argument
@policy_option
@click.option(
    "--store",
    type=FILE,
    multiple=True,
    envvar="PROVENANCE_STORE",
    help="Where bundles of inputs lie; may be repeated.",
)
@click.option("--roster", type=FILE, help="Who may contribute; else the policy's.")
@click.option("--roster-key", "roster_keys", type=FILE, multiple=True, help="A maintainer's public key.")
@click.option("--signature", type=FILE, help="The bundle, where it is not in its usual place.")
@click.option(
    "--format", "format", type=click.Choice(_FORMATS), default="text", help="How to write the result."
)
@output_option
def audit(path: str, policy: str | None, format: str, output: str | None, **options: Any) -> int:  # noqa: A002
    """Verify PATH by a policy, follow its lineage, and lay out who contributed what.

    Decision and findings come first, then contributors, sources and licences, the chain of custody, and what is
    proven, asserted or missing. `--format html` writes one page that loads nothing.
    """
    from cli.judging import judge, save

    if policy is None:
        raise click.UsageError("Name a policy with --policy.")
    if format != "html":
        return judge("audit", path, lambda: _audit(path, policy, options), format, output)
    from cli.console import write_out
    from cli.rendering.audit_html import render_page
    from provenance.auditing.audit import audit as audit_artifact

    found = audit_artifact(path, policy=policy, **options)
    page = render_page(found)
    if output is None:
        write_out(page)
    else:
        save(output, page)
    return found.exit_status


def _audit(path: str, policy: str, options: dict[str, Any]) -> Report:
    from cli.rendering.audits import audit_report
    from provenance.auditing.audit import audit as audit_artifact

    return audit_report(audit_artifact(path, policy=policy, **options))
