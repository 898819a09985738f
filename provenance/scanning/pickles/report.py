"""What reading the pickles of one file showed."""

from __future__ import annotations

import msgspec

from policies.findings import Finding, finding
from provenance.scanning.pickles.limits import MAX_FINDINGS
from provenance.scanning.pickles.values import Storage

__all__ = ["Report"]


class Report:
    """Collects findings, the globals that are imported, and the storages that are named; one for each file.

    ``globals`` maps (module, name), in Python 3's names, to whether it is allowed.
    """

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.globals: dict[tuple[str, str], bool] = {}
        self.storages: dict[str, Storage] = {}
        self.opcodes = 0
        self._seen: set[tuple[str, str]] = set()

    def add(self, rule: str, message: str, where: str) -> None:
        """Add a finding, once for each message, up to a bound."""
        if (rule, message) not in self._seen and len(self.findings) < MAX_FINDINGS:
            self._seen.add((rule, message))
            self.findings.append(finding(rule, message, where=where))

    def extend(self, message: str, more: str) -> None:
        """Say more in a finding that was added before, if it is still there."""
        for index, found in enumerate(self.findings):
            if found.message == message:
                self.findings[index] = msgspec.structs.replace(found, message=message + more)
