"""A fault of a document, at a place that is a path of keys until the line is looked up."""

from __future__ import annotations

from typing import Any

__all__ = ["Fault", "KeyPath", "dotted", "quoted", "suggestion"]

# ("signers", "ci", "keys", 0) is the first item of [signers.ci] keys.
KeyPath = tuple[str | int, ...]

_SHOWN = 80


class Fault(Exception):
    """Something in a document that cannot stand; ``path`` leads to it, ``hint`` says how to mend it."""

    def __init__(self, path: KeyPath, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.path = path
        self.message = message
        self.hint = hint


def dotted(path: KeyPath) -> str:
    """The path as a reader would write it: ``signers.ci.keys``, without positions in arrays."""
    return ".".join(part for part in path if isinstance(part, str))


def quoted(value: Any) -> str:
    """A value of the document for a message, cut to one line's length."""
    text = str(value)
    return f"`{text if len(text) <= _SHOWN else text[:_SHOWN] + '…'}`"


def suggestion(word: str, known: tuple[str, ...]) -> str:
    """``; did you mean …?`` where a known word comes near, else nothing."""
    import difflib  # only an error needs it

    near = difflib.get_close_matches(word[:_SHOWN], known, n=1)
    return f"; did you mean `{near[0]}`?" if near else ""
