"""What became of a conversion."""

from __future__ import annotations

from pathlib import Path

import msgspec

from policies import DecisionName, Finding

__all__ = ["Conversion", "ConvertedTensor", "LeftBehind"]

_EXIT_STATUS: dict[DecisionName, int] = {"accepted": 0, "refused": 1, "undecided": 3}


class ConvertedTensor(msgspec.Struct, frozen=True):
    """A tensor of the result: its name, its dtype (a name of safetensors), and its shape."""

    name: str
    dtype: str
    shape: tuple[int, ...]


class LeftBehind(msgspec.Struct, frozen=True):
    """A value that could not be carried: the name it would have had, "" for the file as a whole, and what it is."""

    name: str
    what: str


class Conversion(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a conversion; ``path`` is None where nothing was written.

    ``values`` names the plain values that are kept in the metadata; ``signature`` and ``statement`` are the bundles
    that were written beside the result where a key was given.
    """

    decision: DecisionName
    findings: tuple[Finding, ...] = ()
    format: str = "unknown"
    source_bytes: int = 0
    path: Path | None = None
    tensors: tuple[ConvertedTensor, ...] = ()
    values: tuple[str, ...] = ()
    left_behind: tuple[LeftBehind, ...] = ()
    signature: Path | None = None
    statement: Path | None = None

    @property
    def exit_status(self) -> int:
        """The command's exit status: 0 accepted, 1 refused, 3 undecided."""
        return _EXIT_STATUS[self.decision]
