"""``provenance verify``: who signed an artifact, and is it unchanged?"""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING, Any

import click

from cli.options import FILE, command, format_option, output_option, path_argument, policy_option
from cli.rendering.report import Report

if TYPE_CHECKING:
    from provenance.verification import Verification

__all__ = ["verify"]


@command()
@path_argument
@click.option("--key", "keys", type=FILE, multiple=True, help="Accept this public key; may be repeated.")
@click.option(
    "--certificate-chain", type=FILE, multiple=True, help="Accept certificates under these roots (PEM)."
)
@click.option("--identity", default="", help="Accept this Sigstore identity (exact, glob, or regex:…).")
@click.option("--issuer", default="", help="The issuer of the identity, exactly.")
@click.option("--trusted-root", type=FILE, help="Sigstore trust roots of another instance (JSON).")
@policy_option
@click.option("--signature", type=FILE, help="The bundle, where it is not in its usual place.")
@click.option(
    "--store", type=FILE, multiple=True, envvar="PROVENANCE_STORE", help="Where statements about inputs lie."
)
@click.option("--roster", type=FILE, help="Who may contribute, in place of the policy's roster.")
@click.option(
    "--roster-key",
    "roster_keys",
    type=FILE,
    multiple=True,
    help="Public key of a maintainer of the roster; else the policy's, else those of the signers.",
)
@click.option(
    "--ignore", multiple=True, metavar="PATH", help="Leave out this path of the artifact; may be repeated."
)
@click.option("--ignore-unsigned-files", is_flag=True, help="Report files that nobody signed as warnings.")
@click.option("--thorough", is_flag=True, help="Compare the chunk digests too, which `load` relies on.")
@click.option("--offline", is_flag=True, hidden=True, help="Verifying never uses the network.")
@format_option
@output_option
def verify(path: str, format: str, output: str | None, offline: bool, **options: Any) -> int:  # noqa: A002, ARG001
    """Verify the signatures, the files and the formats of an artifact.

    PATH is a file or a directory. Name whom you trust: --key, --certificate-chain, --identity with --issuer, or a
    --policy. The bundle is looked for in FILE.sigstore.json, model.sig and .provenance/. The network is never used.
    """
    from cli.judging import judge

    return judge("verify", path, lambda: _verify(path, options), format, output)


def _verify(path: str, options: dict[str, Any]) -> Report:
    from cli.progress import progress
    from provenance.verification import verify as verify_artifact

    # Nothing here makes cycles, and looking for them among 20,000 files' digests is a sixth of the work.
    gc.disable()
    try:
        with progress("verifying", [path]) as advance:
            found = verify_artifact(path, progress=advance, **options)
    finally:
        gc.enable()
    return Report(
        command="verify",
        subject=path,
        base=path if os.path.isdir(path) else os.path.dirname(path),
        bundle=options["signature"] or "",
        decision=found.decision,
        exit_status=found.exit_status,
        findings=found.findings,
        policy=found.policy,
        checked_files=found.checked_files,
        checked_bytes=found.checked_bytes,
        signers=found.signers,
        details=_lineage(found),
        resources=tuple((each.identifier, each.algorithm, each.digest.hex()) for each in found.resources),
    )


def _lineage(found: Verification) -> dict[str, Any]:
    """What JSON says of the lineage, where the policy asks about it."""
    import msgspec

    if found.lineage == "unasked":
        return {}
    return {"lineage": {"status": found.lineage, "ends": msgspec.to_builtins(found.lineage_ends)}}
