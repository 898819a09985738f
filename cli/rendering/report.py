"""A report: what every output format is given to show, whichever command judged."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from policies import DecisionName, Finding, Severity, Signer

if TYPE_CHECKING:
    from provenance.scanning.verb import ScannedFile

__all__ = ["EXIT_STATUS", "Report"]

EXIT_STATUS: dict[DecisionName, int] = {"accepted": 0, "refused": 1, "undecided": 3}


@dataclass(frozen=True, kw_only=True)
class Report:
    """A judgement and how it came about; ``seconds`` is wall time, ``checked_bytes`` are bytes of the artifact.

    Paths of findings are relative to ``base``, a directory, or to the working directory where it is empty; the
    ``bundle`` that the user named is called as the user did. ``signers`` and ``resources`` (name, algorithm, hex
    digest) are None where the command does not know them, and so are ``files``: what scanning found in each file.
    ``details`` are the members of the JSON object that only this command has, ``lines`` what it says to people.
    """

    command: str
    subject: str
    base: str = ""
    bundle: str = ""
    decision: DecisionName
    exit_status: int
    findings: tuple[Finding, ...] = ()
    policy: str = ""
    checked_files: int = 0
    checked_bytes: int = 0
    seconds: float = 0.0
    signers: tuple[Signer, ...] | None = None
    resources: tuple[tuple[str, str, str], ...] | None = None
    files: tuple[ScannedFile, ...] | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    lines: tuple[str, ...] = ()

    def count(self, severity: Severity) -> int:
        """Count the findings of one severity."""
        return sum(found.severity == severity for found in self.findings)

    def place(self, path: str) -> str:
        """Name a file from the working directory: the subject where a finding names none."""
        if path in ("", self.subject, self.bundle) or not self.base:
            return path or self.subject
        joined = os.path.join(self.base, path)
        named_from_here = path.startswith(self.base.rstrip("/") + "/")  # as bundles are that were found
        return path if named_from_here and not os.path.lexists(joined) else joined
