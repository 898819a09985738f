"""``provenance attest``: sign what something was made from."""

from __future__ import annotations

import click

from cli.console import write_out
from cli.options import FILE, command, password_options, path_argument

__all__ = ["attest"]


@command()
@path_argument
@click.option(
    "--kind",
    type=click.Choice(["train", "fine-tune", "merge", "curate"]),
    required=True,
    help="How it was made.",
)
@click.option(
    "--input",
    "inputs",
    metavar="ROLE=PATH",
    multiple=True,
    required=True,
    help="What it was made from, and what that was in it: dataset=data.jsonl, base=model/; may be repeated.",
)
@click.option(
    "--parameter", "parameters", metavar="K=V", multiple=True, help="What was chosen; V is JSON or text."
)
@click.option("--key", type=FILE, required=True, help="Sign with this private key.")
@password_options
@click.option("--output", type=FILE, help="Where to write the bundle, if not in .provenance/.")
def attest(
    path: str,
    kind: str,
    inputs: tuple[str, ...],
    parameters: tuple[str, ...],
    key: str,
    password_env: str | None,
    password_fd: int | None,
    output: str | None,
) -> int:
    """Sign what PATH was made from.

    Every input is digested now, as it is. The statement (SLSA provenance in an in-toto bundle) names the inputs with
    their roles, the parameters, the git commit of the working directory and the versions of Python and of packages;
    it is written to `.provenance/`, and its path is printed. For `curate`, records are matched to those of the inputs
    by hash, and the origin of each is kept in a sidecar.
    """
    from cli.password import ask_password, given_password
    from cli.progress import progress
    from provenance.lineage.attest import attest as attest_artifact
    from provenance.signing.keys import PasswordRequired

    pairs = [_pair(each, "--input", "ROLE=PATH") for each in inputs]
    chosen = {name: _value(text) for name, text in (_pair(each, "--parameter", "K=V") for each in parameters)}
    password = given_password(password_env, password_fd)
    with progress("attesting", [path, *(place for _, place in pairs)]) as advance:
        while True:
            try:
                bundle = attest_artifact(
                    path,
                    kind=kind,  # type: ignore[arg-type]
                    inputs=pairs,
                    key=key,
                    parameters=chosen,
                    password=password,
                    output=output,
                    progress=advance,
                )
                break
            except PasswordRequired:
                password = ask_password(key)
                if password is None:
                    raise
    write_out(f"{bundle}\n")
    return 0


def _pair(text: str, option: str, form: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise click.UsageError(f"{option} is written {form}, not {text!r}")
    return name, value


def _value(text: str) -> object:
    """Take a value for JSON where it is; else it is text."""
    import json

    try:
        return json.loads(text)
    except ValueError:
        return text
