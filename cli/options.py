"""What commands share: their class, and the options that several of them have."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from cli.console import COLOR_CHOICES, choose_color, note
from cli.rendering import FORMATS
from cli.settings import HARMLESS, Settings

__all__ = [
    "FILE",
    "Command",
    "command",
    "complete_policies",
    "format_option",
    "output_option",
    "password_options",
    "path_argument",
    "policy_option",
]

FILE = click.Path(path_type=str)  # existence is for the library to judge: absent is not wrong use

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class Command(click.Command):
    """A command whose defaults may come from ``pyproject.toml``, but never from the one of what it works on."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(_color_option())

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Parse the arguments; parse them again without the settings where these come from the artifact."""
        ctx = super().make_context(info_name, list(args), parent, **extra)
        taken = _settings_taken(ctx)
        if not taken:
            return ctx
        settings = ctx.find_root().obj
        file = os.path.relpath(settings.path)
        if not _lies_in(settings.path, _artifacts(ctx)):
            note(f"{', '.join(taken)} taken from [tool.provenance] in {file}")
            return ctx
        note(f"{', '.join(taken)} in {file} ignored: settings never come from the artifact's own directory")
        kept = {name: value for name, value in (ctx.default_map or {}).items() if name in HARMLESS}
        return super().make_context(info_name, list(args), parent, **{**extra, "default_map": kept})


def command(**attributes: Any) -> Callable[[Callable[..., Any]], Command]:
    """Make a function a command of this project."""
    return click.command(cls=Command, **attributes)


def _settings_taken(ctx: click.Context) -> list[str]:
    """Name the options that came from the settings and have a part in the work."""
    if not isinstance(ctx.find_root().obj, Settings):
        return []
    return [
        max(param.opts, key=len)
        for param in ctx.command.params
        if param.name not in HARMLESS
        and ctx.get_parameter_source(str(param.name)) == ParameterSource.DEFAULT_MAP
    ]


def _artifacts(ctx: click.Context) -> list[str]:
    """Give what the command works on: the values of its arguments."""
    arguments = [param for param in ctx.command.params if isinstance(param, click.Argument)]
    values = [ctx.params.get(str(param.name)) for param in arguments]
    return [path for value in values for path in (value if isinstance(value, tuple) else (value,)) if path]


def _lies_in(file: str, artifacts: list[str]) -> bool:
    """Say whether a file lies in the directory of one of the artifacts, or below it."""
    file = os.path.realpath(file)
    for artifact in artifacts:
        place = os.path.realpath(artifact)
        directory = place if os.path.isdir(place) else os.path.dirname(place)
        if file.startswith(directory.rstrip("/") + "/"):
            return True
    return False


def _color_option() -> click.Option:
    def choose(_ctx: click.Context, _param: click.Parameter, value: Any) -> None:
        if value is not None:
            choose_color(value)

    return click.Option(
        ["--color"],
        type=click.Choice(COLOR_CHOICES),
        expose_value=False,
        callback=choose,
        help="Colour the output.",
    )


def path_argument(function: Decorated) -> Decorated:
    """Add the argument PATH: a file or a directory."""
    return click.argument("path", type=FILE)(function)


def format_option(function: Decorated) -> Decorated:
    """Add ``--format``, as the parameter ``format_``."""
    return click.option(
        "--format",
        "format",
        type=click.Choice(FORMATS),
        default="text",
        envvar="PROVENANCE_FORMAT",
        help="How to write the result; the exit status is the same for all.",
    )(function)


def output_option(function: Decorated) -> Decorated:
    """Add ``-o``: the file that gets the result in place of standard output."""
    return click.option(
        "-o", "--output", type=FILE, help="Write the result to this file, whole or not at all."
    )(function)


def policy_option(function: Decorated) -> Decorated:
    """Add ``--policy``: the name of a built-in policy or a policy file."""
    return click.option(
        "--policy",
        metavar="NAME|FILE",
        envvar="PROVENANCE_POLICY",
        shell_complete=complete_policies,
        help="Judge by this policy; `provenance policy list` names the built-in ones.",
    )(function)


def password_options(function: Decorated) -> Decorated:
    """Add ``--password-env`` and ``--password-fd``: where the password of a private key is read from."""
    function = click.option(
        "--password-fd",
        type=click.IntRange(min=0),
        metavar="N",
        help="Read the key's password from this descriptor.",
    )(function)
    return click.option(
        "--password-env", metavar="VAR", help="Read the key's password from this environment variable."
    )(function)


def complete_policies(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the names of the built-in policies, then files."""
    from policies import BUILTIN

    names = [CompletionItem(name) for name in BUILTIN if name.startswith(incomplete)]
    return [*names, CompletionItem(incomplete, type="file")]
