"""From TOML text to a tree, with bounds on what is read."""

from __future__ import annotations

from typing import Any

from policies.document.toml_tokens import tokens
from policies.errors import PolicyError

__all__ = ["MAX_DOCUMENT_BYTES", "read_toml"]

MAX_DOCUMENT_BYTES = 1024 * 1024
_MAX_DEPTH = 8  # deep keys cost the parser the square of their length; a policy needs three


def read_toml(text: str, *, max_bytes: int = MAX_DOCUMENT_BYTES) -> dict[str, Any]:
    """Parse a document of at most 1 MiB, nested at most 8 deep; raises PolicyError with the line of the fault.

    ``max_bytes`` is another bound on the size, in whole MiB, for documents that are more than a page of text.
    """
    import tomllib  # a built-in policy needs no parser

    _check_size(text, max_bytes)
    _check_depth(text)
    try:
        return tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, and what int() says to a number of thousands of digits
        message, line = _taken_apart(str(error), text)
        raise PolicyError(message, line=line, hint="see https://toml.io for the syntax") from None


def _check_size(text: str, max_bytes: int) -> None:
    """Bound the document before anything is parsed."""
    if len(text) > max_bytes or len(text.encode("utf-8", "surrogatepass")) > max_bytes:
        page = "a policy is a page of text; " if max_bytes == MAX_DOCUMENT_BYTES else ""
        raise PolicyError(
            f"the file is larger than {max_bytes >> 20} MiB", hint=f"{page}is this the right file?"
        )


def _check_depth(text: str) -> None:
    """Bound the parts of dotted keys, and how deep brackets and braces nest."""
    dots = depth = 0
    for mark, line in tokens(text):
        if mark in "[{":
            depth += 1
        elif mark in "]}":
            depth = max(0, depth - 1)
        dots = dots + 1 if mark == "." else 0 if mark in "\n=[]{}," else dots
        if max(dots, depth) >= _MAX_DEPTH:
            raise PolicyError("keys, arrays or tables are nested too deeply", line=line, hint="write it flat")


def _taken_apart(error: str, text: str) -> tuple[str, int]:
    """Split `… (at line 3, column 5)` into a sentence and a line."""
    message, _, place = error.rpartition(" (at ")
    if not message:
        return f"the file is not TOML: {error}", 0
    if place.startswith("line "):
        line = int(place.removeprefix("line ").partition(",")[0])
    else:  # "end of document"
        line = len(text.rstrip("\n").split("\n"))
    return f"the file is not TOML: {message[:1].lower()}{message[1:]}", line
