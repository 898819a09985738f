"""Standard output and standard error: data goes to the one, notes and errors to the other.

Colour is wanted on a terminal, unless ``--color``, ``NO_COLOR`` or ``FORCE_COLOR`` say otherwise.
"""

from __future__ import annotations

import os
import sys
from contextvars import ContextVar
from typing import Literal, TextIO

import click

from cli.rendering.escape import escape
from provenance.errors import ProvenanceError

__all__ = ["COLOR_CHOICES", "choose_color", "error", "note", "prepare", "tell", "wants_color", "write_out"]

ColorChoice = Literal["auto", "always", "never"]
COLOR_CHOICES: tuple[ColorChoice, ...] = ("auto", "always", "never")

_choice: ContextVar[ColorChoice] = ContextVar("color", default="auto")


def prepare() -> None:
    """Start afresh: colour by what the streams are, and no character that cannot be written."""
    _choice.set("auto")
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="backslashreplace")


def choose_color(choice: ColorChoice) -> None:
    """Set what ``--color`` asked for."""
    _choice.set(choice)


def wants_color(stream: TextIO) -> bool:
    """Say whether a stream gets colours: by the option, else NO_COLOR, FORCE_COLOR, else if it is a terminal."""
    choice = _choice.get()
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return os.environ.get("TERM") != "dumb" and stream.isatty()


def write_out(text: str) -> None:
    """Write data to standard output; a reader who has gone away is no error, a full disk is."""
    _write(sys.stdout, text)


def note(text: str) -> None:
    """Tell the user something beside the data: one line on standard error."""
    _write(sys.stderr, f"{click.style('note', fg='blue')}: {escape(text)}\n")


def tell(text: str) -> None:
    """Write lines that are already made safe and coloured to standard error."""
    _write(sys.stderr, f"{text}\n")


def error(message: str, *, code: str = "", hint: str = "") -> None:
    """Tell the user what went wrong and what to do next, on standard error."""
    label = f"error[{code}]" if code else "error"
    lines = [f"{click.style(label, fg='red', bold=True)}: {escape(message)}"]
    if hint:
        lines.append(f"   = {click.style('hint', fg='cyan')}: {escape(hint)}")
    _write(sys.stderr, "\n".join(lines) + "\n")


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text if wants_color(stream) else click.unstyle(text))
        stream.flush()
    except BrokenPipeError:
        _silence(stream)
    except OSError as problem:
        _silence(stream)
        raise ProvenanceError(f"cannot write the output: {problem.strerror}") from problem


def _silence(stream: TextIO) -> None:
    """Send what is still buffered nowhere, so that the interpreter does not stumble over it when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
