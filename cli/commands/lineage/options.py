"""The options that every command about lineage has: where statements lie, and whose count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from cli.options import FILE, format_option, output_option

__all__ = ["depth_option", "lineage_options", "record_option", "trust_options"]

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def lineage_options(function: Decorated) -> Decorated:
    """Add what ``trust_options`` adds, ``--format`` and ``-o``."""
    return trust_options(format_option(output_option(function)))


def trust_options(function: Decorated) -> Decorated:
    """Add ``--store``, ``--roster``, ``--roster-key``, ``--key`` and ``--as-of``."""
    for option in reversed(
        (
            click.option(
                "--store",
                type=FILE,
                multiple=True,
                envvar="PROVENANCE_STORE",
                help="A folder where statements about inputs lie; may be repeated.",
            ),
            click.option("--roster", type=FILE, help="Who may contribute (TOML, signed by its maintainers)."),
            click.option(
                "--roster-key",
                "roster_keys",
                type=FILE,
                multiple=True,
                help="Public key of a maintainer of the roster; else those of --key count.",
            ),
            click.option(
                "--key",
                "keys",
                type=FILE,
                multiple=True,
                help="Public key that is trusted to sign statements; may be repeated.",
            ),
            click.option(
                "--as-of", metavar="DATE", help="Judge keys and revocations as of the end of this day."
            ),
        )
    ):
        function = option(function)
    return function


def depth_option(default: int | None, help_: str) -> Callable[[Decorated], Decorated]:
    """Add ``--depth``, as the parameter ``max_depth``."""
    kind = click.IntRange(min=0, max=1_000_000)
    return click.option("--depth", "max_depth", type=kind, default=default, metavar="N", help=help_)


def record_option(function: Decorated) -> Decorated:
    """Add ``--record``."""
    return click.option(
        "--record",
        type=click.IntRange(min=0),
        metavar="N",
        help="Ask about this record alone, counted from 0.",
    )(function)
