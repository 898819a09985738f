"""A roster for people and for programs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cli.rendering.escape import escape
from cli.rendering.json import SCHEMA, dump, finding_object
from policies import finding, outcome
from provenance.errors import ProvenanceError

if TYPE_CHECKING:
    from provenance.trust.roster import Contributor, Roster, VerifiedRoster

__all__ = ["refusal_json", "roster_json", "roster_text"]


def roster_text(roster: Roster, verified: VerifiedRoster | None) -> str:
    """Write a roster as lines: its state, then a contributor a line with what limits it below."""
    lines = []
    if verified is None:
        lines.append("UNVERIFIED: nothing below has been checked; name the maintainers with --roster-key")
    else:
        signers = ", ".join(verified.signers)
        lines.append(f"signed by {len(verified.signers)} of {roster.threshold} needed: {signers}")
    end = f", expires {roster.expires.isoformat()}" if roster.expires else ""
    lines.append(f"roster {roster.id}, version {roster.version}{end}")
    lines += [f"maintainer   {each.fingerprint}" for each in roster.maintainers]
    now = datetime.now(UTC)
    for each in roster.contributors:
        lines += _contributor(each, now)
    lines.append(f"{len(roster.contributors)} contributors, {roster.threshold} signatures needed")
    return "".join(f"{escape(line)}\n" for line in lines)


def _contributor(each: Contributor, now: datetime) -> list[str]:
    standing = each.standing(now, trusted=False, now=now)
    head = f"contributor  {each.id}  {standing}, voting right {each.voting_right:g}"
    bounds = [
        f"from {each.valid_from.isoformat()}" if each.valid_from else "",
        f"until {each.valid_until.isoformat()}" if each.valid_until else "",
    ]
    lines = [", ".join([head, *filter(None, bounds)])]
    lines += [f"             key {key.fingerprint}" for key in each.keys]
    lines += [f"             identity {one.identity} of {one.issuer}" for one in each.identities]
    lines += [
        f"             revoked from {entry.at.isoformat()}: {entry.reason}"
        + (f" ({entry.key})" if entry.key else "")
        for entry in each.revocations
    ]
    return lines


def roster_json(roster: Roster, verified: VerifiedRoster | None) -> str:
    """Write a roster as one JSON object; there is a ``decision`` only where its signatures were verified."""
    now = datetime.now(UTC)
    judged = {}
    if verified is not None:
        judged = {"decision": "accepted", "findings": [finding_object(each) for each in verified.findings]}
    return dump(
        {
            "schema": SCHEMA,
            "command": "roster show",
            **judged,
            "verified": verified is not None,
            "signers": list(verified.signers) if verified is not None else [],
            "id": roster.id,
            "version": roster.version,
            "threshold": roster.threshold,
            "expires": roster.expires.isoformat() if roster.expires else None,
            "maintainers": [each.fingerprint for each in roster.maintainers],
            "contributors": [_object(each, now) for each in roster.contributors],
        }
    )


def refusal_json(problem: ProvenanceError, path: str) -> str:
    """Write why a roster does not count as one JSON object."""
    found = finding(problem.code, problem.message, path=path, hint=problem.hint)
    return dump(
        {
            "schema": SCHEMA,
            "command": "roster show",
            "decision": outcome([found]),
            "findings": [finding_object(found)],
            "verified": False,
        }
    )


def _object(each: Contributor, now: datetime) -> dict[str, Any]:
    return {
        "id": each.id,
        "standing": each.standing(now, trusted=False, now=now),
        "keys": [key.fingerprint for key in each.keys],
        "identities": [{"identity": one.identity, "issuer": one.issuer} for one in each.identities],
        "voting_right": each.voting_right,
        "valid_from": each.valid_from.isoformat() if each.valid_from else None,
        "valid_until": each.valid_until.isoformat() if each.valid_until else None,
        "revocations": [
            {"at": entry.at.isoformat(), "reason": entry.reason, "key": entry.key or None}
            for entry in each.revocations
        ],
    }
