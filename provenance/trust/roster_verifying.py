"""Verifying a roster: whose signatures over these very bytes count, and are they enough?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path

from provenance.attestations.subjects import file_subject
from provenance.errors import ProvenanceError, Refused, Undecided, UsageError
from provenance.signing.keys import PublicKey
from provenance.signing.statements import Keyring, SignedStatement, keyring, open_statement, trust_of_keys
from provenance.trust.memory import check_and_remember
from provenance.trust.roster import Roster, VerifiedRoster
from provenance.trust.roster_files import RosterFile, read_roster
from provenance.trust.roster_signing import read_roster_predicate, roster_bundle_path, roster_bundles

__all__ = ["verify_roster"]


def verify_roster(
    path: str | PathLike[str],
    *,
    roster_keys: Iterable[str | PathLike[str] | PublicKey],
    threshold: int,
    remember: bool,
    now: datetime | None,
) -> VerifiedRoster:
    """Do what ``roster.load_roster`` says."""
    if threshold < 1:
        raise UsageError("a roster needs at least one signature")
    path = Path(path)
    trust = trust_of_keys(roster_keys)
    found = read_roster(path)
    if not trust.keys:
        raise Undecided(f"nobody is named whose signature of the roster {path} counts", code="CON001")
    accepted = tuple(dict.fromkeys(each.fingerprint for each in trust.keys))
    signers, notes = _signers(path, found, keyring(trust))
    _require(path, found.roster, signers, notes, threshold)
    _require_fresh(path, found.roster, now or datetime.now(UTC))
    digest = hashlib.sha256(found.data).hexdigest()
    findings = check_and_remember(found.roster, digest, accepted=accepted, signers=signers, remember=remember)
    return VerifiedRoster(
        roster=found.roster, path=str(path), digest=digest, signers=signers, findings=findings
    )


def _signers(path: Path, found: RosterFile, ring: Keyring) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the accepted keys that signed these bytes, and why other bundles beside the roster do not count."""
    signers: dict[str, None] = {}
    notes: list[str] = []
    accepted = {roster_bundle_path(path, each.fingerprint) for each in ring.trust.keys}
    for place in roster_bundles(path):
        if place not in accepted:  # what strangers put beside a roster is not read
            notes.append(f"{place.name} is not by a maintainer who was named")
            continue
        try:
            signed = open_statement(place, ring)
            problem = _problem(signed, found)
        except ProvenanceError as error:
            problem = error.message.removeprefix(f"{place}: ")
        if problem:
            notes.append(f"{place.name} does not count: {problem}")
        else:
            signers[signed.signer.fingerprint] = None
    return tuple(signers), tuple(notes)


def _problem(signed: SignedStatement, found: RosterFile) -> str:
    predicate = read_roster_predicate(signed.statement)
    digest = file_subject("", hashlib.sha256(found.data).digest()).digest
    if signed.statement.subject[0].digest.get("sha256") != digest["sha256"]:
        return f"it signs other bytes, of version {predicate.version}"
    roster = found.roster
    if (predicate.id, predicate.version, predicate.threshold) != (
        roster.id,
        roster.version,
        roster.threshold,
    ):
        return "it names another id, version or threshold than the roster that it signs"
    if roster.maintainers and signed.signer.fingerprint not in {
        key.fingerprint for key in roster.maintainers
    }:
        return "its signer is not a maintainer in the roster"
    return ""


def _require(
    path: Path, roster: Roster, signers: Sequence[str], notes: Sequence[str], threshold: int
) -> None:
    needed = max(roster.threshold, threshold)
    if len(signers) >= needed:
        return
    if not notes and not signers:
        raise Undecided(f"the roster {path} is not signed", code="CON001")
    who = "1 accepted maintainer" if len(signers) == 1 else f"{len(signers)} accepted maintainers"
    reasons = "; ".join(notes[:4])
    raise Refused(
        f"the roster {path} has the signatures of {who}, and {needed} are needed"
        + (f" ({reasons})" if reasons else ""),
        code="CON002",
    )


def _require_fresh(path: Path, roster: Roster, now: datetime) -> None:
    """Whoever can keep newer versions away could else show this one for ever."""
    if roster.expires is not None and now > roster.expires:
        raise Refused(f"the roster {path} expired on {roster.expires:%Y-%m-%d}", code="CON021")
