"""Is as much known of where the artifact comes from as the policy asks for, and is every source one that it accepts?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

from policies.evidence import Evidence, LineageEnd
from policies.findings import Finding, finding
from policies.identities import identity_matches
from policies.policy import LineagePolicy, Policy, Waiver

__all__ = ["judge_lineage"]

_LOOKED = {
    "missing": "no signed statement tells what this was made from",
    "unasked": "it was not looked up what this was made from",
}
_SHOWN = 100


def judge_lineage(policy: Policy, evidence: Evidence, now: datetime) -> Iterator[Finding]:
    """Yield what is wrong with the lineage, a finding for each end of it that does not do, and the waivers used.

    LIN001 missing or not looked up, LIN002 asserted where proof is asked for, LIN009 a licence and LIN011 a source that
    is not accepted, LIN012 a forbidden contributor, LIN014 and LIN015 waivers. Under ``require = "none"`` only the last
    four sources of trouble count.
    """
    lineage, today = policy.lineage, now.astimezone(UTC).date()
    wrong = {found.rule for found in evidence.lineage_findings if found.severity == "error"}
    gaps: list[Finding] = []
    if lineage.require != "none" and not _told(evidence):
        yield from _whole(lineage, evidence)
    for end in evidence.lineage_ends:
        waiver = _waiver(lineage, end)
        problems = [*_gap(lineage, end, wrong), *_source(lineage, end)]
        if problems and waiver is not None:
            if waiver.expires >= today:
                problems = []
            yield _waived(waiver, end, today)
        if end.contributor and end.contributor in policy.contributors.forbid:
            problems.append(
                _about(end, "LIN012", f"{end.path} is by {end.contributor}, whom the policy forbids")
            )
        gaps.extend(problems)
    yield from gaps[:_SHOWN]
    if len(gaps) > _SHOWN:
        yield finding(gaps[0].rule, f"and {len(gaps) - _SHOWN:,} more ends of the lineage like these")
    yield from evidence.lineage_findings


def _gap(lineage: LineagePolicy, end: LineageEnd, wrong: set[str]) -> Iterator[Finding]:
    """LIN001 or LIN002 about one end, unless what is wrong with it is among the findings."""
    if lineage.require == "none" or end.status == "proven" or end.rule in wrong:
        return
    if end.status == "missing":
        yield _about(end, "LIN001", end.reason or f"no signed statement tells where {end.path} comes from")
    elif lineage.require == "proven":
        yield _about(end, "LIN002", end.reason or f"where {end.path} comes from is asserted, not proven")


def _source(lineage: LineagePolicy, end: LineageEnd) -> Iterator[Finding]:
    if end.status != "proven":
        return
    if lineage.licences and not _licensed(end.licence, lineage.licences):
        given = f"has the licence {end.licence}" if end.licence else "names no licence"
        yield _about(end, "LIN009", f"{end.path} {given}; accepted are {', '.join(lineage.licences)}")
    if lineage.sources and not any(
        identity_matches(pattern, voucher) for pattern in lineage.sources for voucher in end.vouchers
    ):
        by = end.contributor or next(iter(end.vouchers), "nobody")
        yield _about(end, "LIN011", f"{end.path} is by {by}, who is no accepted source")


def _licensed(licence: str, accepted: tuple[str, ...]) -> bool:
    """Read an SPDX expression where it is plain: alternatives of conjunctions; with brackets it must be listed."""
    if licence in accepted:
        return True
    if not licence or "(" in licence:
        return False
    return any(
        all(part.strip() in accepted for part in alternative.split(" AND "))
        for alternative in licence.split(" OR ")
    )


def _waiver(lineage: LineagePolicy, end: LineageEnd) -> Waiver | None:
    """The waiver for an end, by its digest or its name; one that holds longest."""
    digests = {f"sha256:{end.digest}", f"dirHash:{end.dir_hash}"}
    found = [
        one for one in lineage.waivers if (one.digest in digests if one.digest else one.path == end.path)
    ]
    return max(found, key=lambda one: one.expires, default=None)


def _waived(waiver: Waiver, end: LineageEnd, today: date) -> Finding:
    if waiver.expires < today:
        return _about(
            end, "LIN015", f"the waiver for {end.path} expired on {waiver.expires}: {waiver.reason}"
        )
    return _about(end, "LIN014", f"{end.path} is waived until {waiver.expires}: {waiver.reason}")


def _about(end: LineageEnd, rule: str, message: str) -> Finding:
    return finding(rule, message, where=" <- ".join(end.via) if len(end.via) > 1 else "")


def _told(evidence: Evidence) -> bool:
    """Whether the ends tell why the lineage is not proven, where it is not."""
    return evidence.lineage == "proven" or any(end.status != "proven" for end in evidence.lineage_ends)


def _whole(lineage: LineagePolicy, evidence: Evidence) -> Iterator[Finding]:
    """LIN001 or LIN002 about the artifact itself, where no end of its lineage is known."""
    if evidence.lineage != "asserted":
        yield finding("LIN001", f"the policy asks for {lineage.require} lineage: {_LOOKED[evidence.lineage]}")
    elif lineage.require != "asserted":
        yield finding(
            "LIN002", "the policy asks for proven lineage, and some input could not be followed to its origin"
        )
