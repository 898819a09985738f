"""What the readers of one file share: the policy, the findings, and what may still be unpacked."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from policies.findings import Finding, finding
from policies.policy import FormatPolicy
from policies.rules import Severity
from provenance.scanning.pickles.allowlist import Allowed, allowed_by
from provenance.scanning.pickles.report import Report
from provenance.scanning.readers import Reader

__all__ = ["MAX_DEPTH", "Context", "OverBudget"]

MAX_DEPTH = 6  # archives within archives
_BUDGET = 2 << 30  # bytes that one file may unpack to
_MAX_FINDINGS = 200


class OverBudget(Exception):
    """More is unpacked than the bounds allow."""


class Context:
    """Collects what was found in one file.

    ``nested`` reads a member by the readers of this package; it is handed over so that containers need not know
    every format. ``where`` is the way to what is read now, through the members around it.
    """

    def __init__(
        self,
        policy: FormatPolicy,
        nested: Callable[[Context, Reader, str], str],
        *,
        where: str = "",
        depth: int = 0,
    ) -> None:
        self.policy = policy
        self.where = where
        self.name = ""  # of what is read now, as its container or the caller knows it
        self.depth = depth
        self.findings: list[Finding] = []
        self.report = Report()
        self.budget = [_BUDGET]
        self.packed_format = ""  # of what a compressed stream holds
        self.refers: dict[
            str, int
        ] = {}  # files of weights beside this one, and the bytes that they must have
        self._nested = nested

    @property
    def allowed(self) -> Allowed:
        """The globals that pickles may import under the policy."""
        return allowed_by(self.policy.profiles, self.policy.allow_globals)

    def add(self, rule: str, message: str, *, where: str = "", severity: Severity | None = None) -> None:
        """Add a finding; ``where`` is a place in what is read now."""
        place = ", ".join(part for part in (self.where, where) if part)
        if len(self.findings) < _MAX_FINDINGS:
            self.findings.append(finding(rule, message, where=place, severity=severity))

    def spend(self, length: int) -> None:
        """Count bytes that were unpacked. Raises OverBudget."""
        self.budget[0] -= length
        if self.budget[0] < 0:
            raise OverBudget

    def member(self, reader: Reader, name: str) -> str:
        """Read a member as a file of its own and return its format; its findings become those of this file."""
        if self.depth >= MAX_DEPTH:
            self.add("ARC007", f"more than {MAX_DEPTH} archives lie within one another", where=name)
            return "unknown"
        place = ", ".join(part for part in (self.where, name) if part)
        inner = Context(self.policy, self._nested, where=place, depth=self.depth + 1)
        inner.budget = self.budget
        inner.report = self.report
        found = self._nested(inner, reader, name)
        self.findings += inner.findings[: _MAX_FINDINGS - len(self.findings)]
        return found

    def take_report(self) -> None:
        """Move what was found in pickles to the findings of this file."""
        self.findings += self.report.findings
        self.report.findings = []

    def located(self, found: Finding) -> Finding:
        """A finding of another reader, with the way to what is read now in front of its place."""
        place = ", ".join(part for part in (self.where, found.where) if part)
        return msgspec.structs.replace(found, where=place)
