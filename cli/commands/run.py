"""``provenance run``: run a program, and let it load only what a policy accepts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from cli.options import FILE, command, policy_option
from cli.rendering.report import Report

if TYPE_CHECKING:
    from provenance.loading.guarding.records import Load

__all__ = ["run"]


@command(context_settings={"allow_interspersed_args": False})
@click.argument("program", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND...")
@policy_option
@click.option("--key", "keys", type=FILE, multiple=True, help="Accept this public key; may be repeated.")
@click.option(
    "--certificate-chain", type=FILE, multiple=True, help="Accept certificates under these roots (PEM)."
)
@click.option("--identity", default="", help="Accept this Sigstore identity (exact, glob, or regex:…).")
@click.option("--issuer", default="", help="The issuer of the identity, exactly.")
@click.option("--trusted-root", type=FILE, help="Sigstore trust roots of another instance (JSON).")
@click.option(
    "--store", type=FILE, multiple=True, envvar="PROVENANCE_STORE", help="Where bundles of inputs lie."
)
@click.option(
    "--report", type=FILE, help="Write what was loaded, verified and refused to this file, as JSON."
)
def run(program: tuple[str, ...], report: str | None, **options: Any) -> int:
    """Run a program, such as a training script, under the guard.

    The guard is armed in every Python process of the command before any code of the program runs. What the program
    unpickles, and what it loads with torch, numpy, joblib, safetensors, keras or h5py, must be accepted by the policy.
    The program needs no change. The exit status is the program's own, but 1 where anything was refused, also where
    the program went on, and 3 where something could not be decided.
    """
    from cli.console import note, tell
    from cli.rendering.text import render

    found = _run(program, options)
    tell(render(found).rstrip("\n"))
    status = int(found.details["status"])
    if status:
        note(f"the program itself ended with status {status}")
    if report is not None:
        from cli.judging import save
        from cli.rendering.json import render as render_json

        save(report, render_json(found))
    return found.exit_status or status


def _run(program: tuple[str, ...], options: dict[str, Any]) -> Report:
    from provenance.loading.guarded_run import run_guarded

    started = time.perf_counter()
    status, found = run_guarded(program, **options)
    return Report(
        command="run",
        subject=" ".join(program),
        decision=found.decision,
        exit_status=found.exit_status,
        findings=found.findings,
        policy=found.policy,
        checked_files=len(found.loads),
        checked_bytes=sum(load.size for load in found.loads),
        seconds=time.perf_counter() - started,
        details={
            "status": status,
            "processes": [{"process": each.process, "command": each.command} for each in found.processes],
            "loads": [_object(load) for load in found.loads],
        },
    )


def _object(load: Load) -> dict[str, Any]:
    from cli.rendering.json import finding_object

    return {
        "loader": load.loader,
        "path": load.path,
        "format": load.format,
        "size": load.size,
        "decision": load.decision,
        "policy": load.policy,
        "digest": load.digest,
        "signers": list(load.signers),
        "sealed": load.sealed,
        "process": load.process,
        "findings": [finding_object(found) for found in load.findings],
    }
