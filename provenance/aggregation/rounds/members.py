"""Who may take part: the roster of a round, and what it says of whoever signed an update."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from os import PathLike
from pathlib import Path

from policies import Finding, Signer, finding
from provenance.signing.keys import PublicKey
from provenance.trust.roster import VerifiedRoster, load_roster, standing_finding
from provenance.trust.roster_files import read_roster

__all__ = ["entitlement", "open_roster", "voting_right"]

AnyKey = str | PathLike[str] | PublicKey


def open_roster(
    path: str | PathLike[str], roster_keys: Iterable[AnyKey]
) -> tuple[VerifiedRoster, tuple[Finding, ...]]:
    """Verify the roster by the maintainers' keys that were named.

    Where none was named, the roster that the user named vouches for itself: its own maintainers must have signed it,
    and a warning says so. Raises as ``load_roster`` does.
    """
    named = tuple(roster_keys)
    if named:
        verified = load_roster(path, roster_keys=named)
        return verified, verified.findings
    own = [each.key for each in read_roster(Path(path)).roster.maintainers]
    verified = load_roster(path, roster_keys=own)
    warning = finding(
        "AGG021",
        "nobody was named whose signature of the roster counts: its own maintainers' signatures were taken",
        path=str(path),
    )
    return verified, (*verified.findings, warning)


def entitlement(roster: VerifiedRoster, now: datetime) -> Callable[[Signer], str]:
    """Return what says why a signer of the roster may not contribute at this moment, or nothing."""

    def problem(signer: Signer) -> str:
        contributor = roster.roster.contributor_of_signer(signer)
        if contributor is None:
            return "the roster does not know the signer"
        found = standing_finding(contributor, signer, claimed=None, now=now)
        if found is not None:
            return found.message
        return "" if contributor.voting_right > 0 else f"{contributor.id} has no voting right"

    return problem


def voting_right(roster: VerifiedRoster, contributor: str) -> float:
    """Return the voting right that the roster gives a contributor; what an update claims of it has no effect."""
    found = roster.contributor(contributor)
    return found.voting_right if found is not None else 0.0
