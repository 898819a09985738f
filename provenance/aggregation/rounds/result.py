"""What a round came to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from policies import Finding
from policies.findings import DecisionName
from provenance.aggregation.rounds.claims import Rejected
from provenance.artifacts.reading import Digested
from provenance.attestations.weighing import Weighing

__all__ = ["Accepted", "Computed", "Replay", "Round", "with_coefficients"]

_EXIT_STATUS: dict[DecisionName, int] = {"accepted": 0, "refused": 1, "undecided": 3}


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """An update that counts: whose, which file, its root digest (hex), the voting right, and its part in the result.

    ``coefficient`` is the factor of the update in a result that is a weighted sum; for rules that work on each
    coordinate the mean of its factors over the columns that the round's ``weighing`` tells. None where the round was
    not computed, and in statements that do not say.
    """

    contributor: str
    path: str
    digest: str
    statement: str
    key: str
    voting_right: float = 1.0
    coefficient: float | None = None


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict over a round: who takes part, what the rule guarantees, and the result.

    ``digest`` is the root digest (hex) of the result, "" where there is none; ``tensors`` are the result's values as
    numpy arrays where no file was asked for. ``guarantee`` is what ``guarantee()`` returns for this n and faulty;
    ``diameter`` and ``heterogeneity`` are those observed in the round (None where they were not measured);
    ``weighing`` says what the coefficients are (None where nothing was computed).
    """

    decision: DecisionName
    findings: tuple[Finding, ...]
    round: str
    rule: str
    faulty: int
    pre: tuple[str, ...] = ()
    parameters: dict[str, Any] = {}
    form: str = "weights"
    base: str = ""
    accepted: tuple[Accepted, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    guarantee: Any = None
    diameter: float | None = None
    heterogeneity: float | None = None
    weighing: Weighing | None = None
    digest: str = ""
    checked_bytes: int = 0
    output: Path | None = None
    statement: Path | None = None
    tensors: dict[str, Any] | None = None

    @property
    def n(self) -> int:
        """How many verified updates take part."""
        return len(self.accepted)

    @property
    def exit_status(self) -> int:
        """The command's exit status: 0 accepted, 1 refused, 3 undecided."""
        return _EXIT_STATUS[self.decision]


class Computed(msgspec.Struct, frozen=True, kw_only=True):
    """A result that was written: its digests, and each update's coefficient.

    ``measured`` holds the SHA-256 of the file's bytes and its chunks' digests; ``digest`` is the root digest in hex.
    """

    measured: Digested
    digest: str
    coefficients: tuple[float, ...]
    weighing: Weighing
    diameter: float | None
    heterogeneity: float | None


def with_coefficients(accepted: Sequence[Accepted], computed: Computed) -> tuple[Accepted, ...]:
    """Give the updates, in the order in which they were combined, with the coefficients that came out."""
    return tuple(
        msgspec.structs.replace(each, coefficient=coefficient)
        for each, coefficient in zip(accepted, computed.coefficients, strict=True)
    )


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict over a result that was recomputed: ``digest`` is that of the result, ``recomputed`` what came out.

    The coefficients of ``accepted`` are those that came out, which ``weighing`` tells of; where nothing was computed,
    those of the statement.
    """

    decision: DecisionName
    findings: tuple[Finding, ...]
    round: str = ""
    rule: str = ""
    digest: str = ""
    recomputed: str = ""
    signer: str = ""
    weighing: Weighing | None = None
    accepted: tuple[Accepted, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    checked_bytes: int = 0

    @property
    def exit_status(self) -> int:
        """The command's exit status: 0 accepted, 1 refused, 3 undecided."""
        return _EXIT_STATUS[self.decision]
