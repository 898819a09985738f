"""How long work tells how far it is, without knowing of any terminal."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Progress"]


class Progress(Protocol):
    """A listener for bytes: told the total once, then each advance, from any thread."""

    def start(self, total: int) -> None:
        """Say how many bytes there are to read."""
        ...

    def advance(self, count: int) -> None:
        """Say that ``count`` more bytes were read."""
        ...
