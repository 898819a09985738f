"""The command ``provenance``: a table of commands, each imported only when it is called."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click
from click.core import ParameterSource

from cli.console import COLOR_CHOICES, choose_color, prepare
from cli.failures import report_failure
from cli.version import version

__all__ = ["COMMANDS", "main"]

# name -> (where it is defined, one line for `provenance --help`)
COMMANDS: dict[str, tuple[str, str]] = {
    "keygen": ("cli.commands.keygen:keygen", "Make a key pair to sign with."),
    "sign": ("cli.commands.sign:sign", "Sign a model or data set."),
    "verify": ("cli.commands.verify:verify", "Verify who signed an artifact and that it is unchanged."),
    "scan": ("cli.commands.scan:scan", "Inspect model files without running anything in them."),
    "contribute": ("cli.commands.contribute:contribute", "Sign records or an update as their contributor."),
    "attest": ("cli.commands.attest:attest", "Sign what a data set or model was made from."),
    "lineage": ("cli.commands.lineage:lineage", "Follow an artifact to its sources, and forward."),
    "roster": ("cli.commands.roster:roster", "Say who may contribute, and sign and show it."),
    "convert": (
        "cli.commands.convert:convert",
        "Write a checkpoint's tensors as safetensors, running nothing.",
    ),
    "run": ("cli.commands.run:run", "Run a program under the guard: whatever it loads obeys a policy."),
    "audit": ("cli.commands.audit:audit", "Lay out who contributed what to an artifact, and what is proven."),
    "aggregate": (
        "cli.commands.aggregate:aggregate",
        "Combine the verified updates of a round by a robust rule.",
    ),
    "replay": ("cli.commands.replay:replay", "Recompute a round from its updates, and compare every bit."),
    "digest": ("cli.commands.digest:digest", "Print the digests that identify an artifact."),
    "inspect": ("cli.commands.inspect:inspect", "Show what a bundle says, without verifying it."),
    "redteam": ("cli.commands.redteam:redteam", "Try every known attack on an aggregation rule."),
    "policy": ("cli.commands.policy:policy", "List, show and check policies."),
    "explain": ("cli.commands.explain:explain", "Explain the rule behind a finding."),
    "completion": (
        "cli.commands.completion:completion",
        "Print a script that completes commands in a shell.",
    ),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click calls it)
        """Name the commands in the order of the table: that of the work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 (click calls it)
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first argument names; raises UsageError with the name that comes nearest."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            from difflib import get_close_matches

            near = get_close_matches(name, COMMANDS, n=1)
            raise click.UsageError(
                f"No such command '{name}'." + (f" Did you mean '{near[0]}'?" if near else ""), ctx
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 (click calls it)
        """List the commands from the table, importing none."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_line) for name, (_, help_line) in COMMANDS.items()])

    def main(  # type: ignore[override]
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> Any:
        """Run a command and exit: 0 accepted or done, 1 refused, 2 usage, 3 undecided, 4 internal error."""
        prepare()
        extra.pop("standalone_mode", None)
        try:
            status = super().main(args, prog_name or "provenance", standalone_mode=False, **extra)
        except BaseException as problem:
            if isinstance(problem, SystemExit):
                raise
            status = report_failure(problem)
        sys.exit(status if isinstance(status, int) else 0)


def _print_version(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        click.echo(f"provenance {version()}")
        ctx.exit()


@click.group(
    "provenance",
    cls=LazyGroup,
    context_settings={"auto_envvar_prefix": "PROVENANCE", "help_option_names": ["-h", "--help"]},
    epilog="Exit status: 0 accepted, 1 refused, 2 wrong use, 3 could not decide, 4 internal error.",
)
@click.option(
    "--color",
    type=click.Choice(COLOR_CHOICES),
    default="auto",
    help="Colour the output; auto does so on a terminal and heeds NO_COLOR and FORCE_COLOR.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version.",
)
@click.pass_context
def main(ctx: click.Context, color: Any) -> None:
    """Sign data sets and model weights, and load only what a policy accepts."""
    from cli.settings import apply_settings

    settings = apply_settings(ctx)
    if ctx.get_parameter_source("color") == ParameterSource.DEFAULT:
        color = settings.color
    choose_color(color)
