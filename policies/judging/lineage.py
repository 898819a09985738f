"""Is as much known of where the artifact comes from as the policy asks for?"""

from __future__ import annotations

from collections.abc import Iterator

from policies.evidence import Evidence
from policies.findings import Finding, finding
from policies.policy import LineagePolicy

__all__ = ["judge_lineage"]


def judge_lineage(lineage: LineagePolicy, evidence: Evidence) -> Iterator[Finding]:
    """Yield LIN001 where the lineage is missing or nobody looked, LIN002 where it is asserted and must be proven."""
    if lineage.require == "none" or evidence.lineage == "proven":
        pass
    elif evidence.lineage != "asserted":
        looked = "no signed statement tells" if evidence.lineage == "missing" else "it was not looked up"
        yield finding(
            "LIN001", f"the policy asks for {lineage.require} lineage: {looked} what this was made from"
        )
    elif lineage.require != "asserted":
        yield finding(
            "LIN002", "the policy asks for proven lineage, and some input could not be followed to its origin"
        )
    yield from evidence.lineage_findings
