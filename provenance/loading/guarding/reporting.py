"""The report of a guard: one decision over all that was loaded, verified and refused, in every process."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from policies import Finding, finding, outcome
from policies.findings import DecisionName
from provenance.loading.guarding.records import Armed, Load, Record, Refusal

__all__ = ["GuardReport", "cut_off", "report_of"]

_EXIT_STATUS: dict[DecisionName, int] = {"accepted": 0, "refused": 1, "undecided": 3}


class GuardReport(msgspec.Struct, frozen=True, kw_only=True):
    """What happened under a guard: ``decision``, the ``findings`` that led to it, every load, the processes armed."""

    decision: DecisionName
    findings: tuple[Finding, ...]
    policy: str
    loads: tuple[Load, ...] = ()
    processes: tuple[Armed, ...] = ()

    @property
    def exit_status(self) -> int:
        """The command's exit status: 0 accepted, 1 refused, 3 undecided."""
        return _EXIT_STATUS[self.decision]


def report_of(policy: str, records: Iterable[Record], extra: Iterable[Finding] = ()) -> GuardReport:
    """Gather records: the same finding is said once, however often it was come across."""
    loads: list[Load] = []
    processes: list[Armed] = []
    findings: list[Finding] = list(extra)
    for record in records:
        if isinstance(record, Load):
            loads.append(record)
            findings += record.findings
        elif isinstance(record, Refusal):
            findings.append(record.finding)
        else:
            processes.append(record)
    said = tuple(dict.fromkeys(findings))
    return GuardReport(
        decision=outcome(said), findings=said, policy=policy, loads=tuple(loads), processes=tuple(processes)
    )


def cut_off(left_out: int) -> tuple[Finding, ...]:
    """Say that there was more than is kept, where there was."""
    if not left_out:
        return ()
    return (finding("GRD008", f"{left_out} more records were not kept"),)
