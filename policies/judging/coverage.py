"""What lies in the artifact that no signature speaks for?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.evidence import Evidence
from policies.findings import Finding, finding
from policies.policy import SignaturePolicy, Tolerance
from policies.rules import Severity

__all__ = ["judge_coverage"]

_SEVERITY: dict[Tolerance, Severity] = {"refuse": "error", "warn": "warning"}
_NAMES_SHOWN = 20


def judge_coverage(signatures: SignaturePolicy, evidence: Evidence) -> Iterator[Finding]:
    """Yield SIG005 for each unsigned file that was not reported yet, and SIG012 for each uncovered folder or file."""
    severity = _severity(signatures.unsigned)
    for path in sorted(set(evidence.unsigned) - _reported("SIG005", severity, evidence.findings)):
        yield finding(
            "SIG005",
            "a file is there that the signature does not cover",
            path=path,
            severity=severity,
        )
    severity = _severity(signatures.uncovered)
    for top, paths in sorted(_by_first_component(evidence.uncovered).items()):
        yield _uncovered(top, paths, severity)


def _severity(tolerance: Tolerance) -> Severity:
    """What the policy makes of it; anything but a plain "warn" is an error."""
    return _SEVERITY.get(tolerance, "error")


def _reported(rule: str, severity: Severity, findings: Iterable[Finding]) -> set[str]:
    """The paths for which such a finding, at least as bad, was gathered already."""
    return {found.path for found in findings if found.rule == rule and found.severity in ("error", severity)}


def _by_first_component(paths: Iterable[str]) -> dict[str, list[str]]:
    """Group paths by their first component: a `.git` holds thousands of files and is one thing to say."""
    groups: dict[str, list[str]] = {}
    for path in sorted(set(paths)):
        groups.setdefault(path.partition("/")[0], []).append(path)
    return groups


def _uncovered(top: str, paths: list[str], severity: Severity) -> Finding:
    """SIG012 for one file, or for one folder with the first names in it."""
    if len(paths) == 1:
        return finding("SIG012", "no signature covers this file", path=paths[0], severity=severity)
    more = len(paths) - _NAMES_SHOWN
    names = tuple(paths[:_NAMES_SHOWN]) + ((f"and {more} more",) if more > 0 else ())
    message = f"no signature covers the {len(paths)} files in this folder"
    return finding("SIG012", message, path=top, severity=severity, notes=names)
