"""A report: what every output format is given to show, whichever command judged."""

from __future__ import annotations

from dataclasses import dataclass

from policies import DecisionName, FileEvidence, Finding, Severity, Signer

__all__ = ["EXIT_STATUS", "Report"]

EXIT_STATUS: dict[DecisionName, int] = {"accepted": 0, "refused": 1, "undecided": 3}


@dataclass(frozen=True, kw_only=True)
class Report:
    """A judgement and how it came about; ``seconds`` is wall time, ``checked_bytes`` are bytes of the artifact.

    ``signers`` and ``resources`` (name, algorithm, hex digest) are None where the command does not know them,
    and so are ``files``: what scanning found in each file.
    """

    command: str
    subject: str
    decision: DecisionName
    exit_status: int
    findings: tuple[Finding, ...] = ()
    policy: str = ""
    checked_files: int = 0
    checked_bytes: int = 0
    seconds: float = 0.0
    signers: tuple[Signer, ...] | None = None
    resources: tuple[tuple[str, str, str], ...] | None = None
    files: tuple[FileEvidence, ...] | None = None

    def count(self, severity: Severity) -> int:
        """Count the findings of one severity."""
        return sum(found.severity == severity for found in self.findings)
