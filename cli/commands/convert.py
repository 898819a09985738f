"""``provenance convert``: from checkpoints and arrays to safetensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cli.options import FILE, command, password_options, policy_option
from cli.rendering.report import Report

if TYPE_CHECKING:
    from provenance.loading.convert import Conversion

__all__ = ["convert"]


@command()
@click.argument("source", type=FILE, metavar="SRC")
@click.argument("target", type=FILE, metavar="DST.safetensors")
@click.option("--key", type=FILE, help="Sign the result, and a statement of what it was made from.")
@password_options
@click.option("--partial", is_flag=True, help="Leave behind what cannot be carried over.")
@policy_option
@click.option(
    "--format",
    "format",
    type=click.Choice(["text", "json"]),
    default="text",
    envvar="PROVENANCE_FORMAT",
    help="How to write the result; the exit status is the same for both.",
)
def convert(
    source: str,
    target: str,
    key: str | None,
    password_env: str | None,
    password_fd: int | None,
    partial: bool,
    policy: str | None,
    format: str,  # noqa: A002
) -> int:
    """Write the tensors of SRC as safetensors, without running or importing anything of it.

    SRC is a file of torch, numpy, joblib or Keras, or a plain pickle of arrays. Nested names are joined with dots,
    plain values go into the metadata. Exit status 1 when something cannot be carried over, unless --partial is given.
    """
    from cli.judging import judge
    from cli.password import ask_password, given_password
    from provenance.signing.keys import PasswordRequired

    options: dict[str, Any] = {"key": key, "partial": partial, "policy": policy or "harmless"}
    password = given_password(password_env, password_fd)

    def work() -> Report:
        from provenance.loading.convert import convert as convert_file

        try:
            made = convert_file(source, target, password=password, **options)
        except PasswordRequired:
            asked = ask_password(str(key))
            if asked is None:
                raise
            made = convert_file(source, target, password=asked, **options)
        return _report(source, options["policy"], made)

    return judge("convert", source, work, format, None)


def _report(source: str, policy: str, made: Conversion) -> Report:
    return Report(
        command="convert",
        subject=source,
        decision=made.decision,
        exit_status=made.exit_status,
        findings=made.findings,
        policy=policy,
        checked_files=1,
        checked_bytes=made.source_bytes,
        lines=_lines(made),
        details={
            "path": str(made.path) if made.path else None,
            "format": made.format,
            "tensors": [
                {"name": one.name, "dtype": one.dtype, "shape": list(one.shape)} for one in made.tensors
            ],
            "values": list(made.values),
            "left_behind": [{"name": one.name, "what": one.what} for one in made.left_behind],
            "signature": str(made.signature) if made.signature else None,
            "statement": str(made.statement) if made.statement else None,
        },
    )


def _lines(made: Conversion) -> tuple[str, ...]:
    """Say what was written."""
    from cli.rendering.wording import count

    if made.path is None:
        return ()
    kept = f", {count(len(made.values), 'plain value')} in the metadata" if made.values else ""
    lost = f", {count(len(made.left_behind), 'value')} left behind" if made.left_behind else ""
    written = (f"{made.path}: {count(len(made.tensors), 'tensor')}{kept}{lost}",)
    bundles = [str(bundle) for bundle in (made.signature, made.statement) if bundle]
    return (*written, f"signed: {', '.join(bundles)}") if bundles else written
