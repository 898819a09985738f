"""Output formats, one file each: a function from a report to text."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cli.rendering.report import Report

__all__ = ["FORMATS", "renderer"]

FORMATS = ("text", "json", "sarif", "junit", "github")
_OF_ONE_COMMAND = ("toml",)  # written where a command asks for it by another option


def renderer(name: str) -> Callable[[Report], str]:
    """Give the function that writes reports in a format."""
    if name not in FORMATS + _OF_ONE_COMMAND:
        raise ValueError(f"no such format: {name}")
    render: Callable[[Report], str] = import_module(f"cli.rendering.{name}").render
    return render
