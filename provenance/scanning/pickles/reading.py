"""Reading whole files of pickles: stream after stream, to the last byte."""

from __future__ import annotations

from provenance.scanning.pickles.allowlist import Allowed
from provenance.scanning.pickles.allowlist.model import Entry
from provenance.scanning.pickles.joblib import JOBLIB
from provenance.scanning.pickles.limits import MAX_STREAMS
from provenance.scanning.pickles.machine import Broken, Limit, Machine, Operations
from provenance.scanning.pickles.operations import OPERATIONS
from provenance.scanning.pickles.report import Report
from provenance.scanning.pickles.sniffing import sniff
from provenance.scanning.pickles.source import Source

__all__ = ["read_stream", "read_streams", "with_joblib"]

_PEEK = 65_536


def with_joblib(allowed: Allowed) -> Allowed:
    """The same allowlist for a file of joblib's, which may hold its arrays."""
    wrapper = Entry(*JOBLIB, "new", "the array that follows", check="joblib", state=True)
    return {**allowed, JOBLIB: wrapper}


def read_stream(machine: Machine, operations: Operations = OPERATIONS) -> bool:
    """Read one pickle from where the machine stands; false where that did not come to its end, which is reported."""
    try:
        machine.run(operations)
    except Broken as error:
        machine.refuse("PKL003", f"the pickle cannot be read to its end: {error}")
        return False
    except Limit as error:
        machine.refuse("PKL010", f"the pickle goes beyond the bounds of the reader: {error}")
        return False
    return True


def read_streams(
    source: Source, allowed: Allowed, report: Report, *, where: str = "", persistent: bool = False
) -> int:
    """Read every pickle of a source and return the offset behind the last one.

    The first must be one; what follows is read as long as it looks like one, for a loader may be called again.
    """
    machine = Machine(source, allowed, report, where=where, persistent=persistent)
    for count in range(MAX_STREAMS):
        if not read_stream(machine):
            break
        machine.reset()
        machine.fill(_PEEK)
        rest = len(machine.buffer)
        if not rest:
            break
        found = sniff(machine.buffer, rest if rest < _PEEK else 1 << 62)
        if found == "no":
            machine.start = machine.offset
            report.add("PKL012", "bytes follow that are no pickle", machine.place())
            break
        if count == MAX_STREAMS - 1:
            machine.refuse("PKL010", f"more than {MAX_STREAMS} pickles follow one another")
    return machine.offset
