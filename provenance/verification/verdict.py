"""The verdict over an artifact."""

from __future__ import annotations

import msgspec

from policies import FileEvidence, Finding, LineageEnd, LineageStatus, Signer
from policies.findings import DecisionName
from provenance.artifacts.manifest import Resource
from provenance.errors import Refused, Undecided

__all__ = ["Verification"]

_EXIT_STATUS: dict[DecisionName, int] = {"accepted": 0, "refused": 1, "undecided": 3}


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict over an artifact: ``decision``, the ``findings`` that led to it, and what was checked.

    ``digest`` is the root digest (hex) of the manifest that was verified, "" where none was. ``lineage`` is "unasked"
    unless the policy says something of where the artifact may come from; its ends are then listed too.
    """

    decision: DecisionName
    findings: tuple[Finding, ...]
    subject: str
    policy: str
    digest: str = ""
    signers: tuple[Signer, ...] = ()
    resources: tuple[Resource, ...] = ()
    files: tuple[FileEvidence, ...] = ()
    checked_files: int = 0
    checked_bytes: int = 0
    lineage: LineageStatus = "unasked"
    lineage_ends: tuple[LineageEnd, ...] = ()

    @property
    def exit_status(self) -> int:
        """The command's exit status: 0 accepted, 1 refused, 3 undecided."""
        return _EXIT_STATUS[self.decision]

    def require_accepted(self) -> None:
        """Return where the decision is "accepted"; else raise ``Refused`` or ``Undecided`` that carry this object."""
        if self.decision == "accepted":
            return
        worst = next((found for found in self.findings if found.severity == "error"), None)
        place = ", ".join(filter(None, (worst.path, worst.where))) if worst else ""
        said = ": ".join(filter(None, (self.subject, place, worst.message if worst else "")))
        kind = Refused if self.decision == "refused" else Undecided
        raise kind(said, judgement=self, code=worst.rule if worst else "", hint=worst.hint if worst else "")
