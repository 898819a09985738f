"""``provenance completion``: the script that lets a shell complete this program's commands and options."""

from __future__ import annotations

import click

from cli.console import note, write_out
from cli.options import command

__all__ = ["completion"]

_INSTALL = {
    "bash": 'add this line to ~/.bashrc: eval "$(provenance completion bash)"',
    "zsh": 'add this line to ~/.zshrc: eval "$(provenance completion zsh)"',
    "fish": "provenance completion fish > ~/.config/fish/completions/provenance.fish",
}


@command()
@click.argument("shell", type=click.Choice(tuple(_INSTALL)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> int:
    """Print a script that completes commands in a shell.

    The script goes to standard output; how to install it is said on standard error.
    """
    import sys

    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    write_out(kind(ctx.find_root().command, {}, "provenance", "_PROVENANCE_COMPLETE").source() + "\n")
    if sys.stdout.isatty():
        note(_INSTALL[shell])
    return 0
