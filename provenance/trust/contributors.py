"""A contributor: keys, identities, force of the vote, validity and revocations, and what stands of what it signed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import msgspec

from policies import Finding, Signer, finding
from provenance.signing.trust import TrustedIdentity, TrustedKey

__all__ = ["Contributor", "RevocationEntry", "Standing", "standing_finding"]

Standing = Literal["valid", "revoked", "expired", "not yet valid"]


class RevocationEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A revocation in a roster: from when on, why, and the fingerprint of the one key it is for, "" for all."""

    at: datetime
    reason: str
    key: str = ""


class Contributor(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may contribute.

    ``voting_right`` is a finite number from 0 on, 1 for one person; ``valid_from`` and ``valid_until`` are the first
    and the last moment of validity, None for no bound. Keys and identities carry the contributor's id as their name.
    """

    id: str
    keys: tuple[TrustedKey, ...] = ()
    identities: tuple[TrustedIdentity, ...] = ()
    voting_right: float = 1.0
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    revocations: tuple[RevocationEntry, ...] = ()

    def standing(
        self, at: datetime | None, *, trusted: bool, fingerprint: str = "", now: datetime | None = None
    ) -> Standing:
        """Say whether what this contributor signed at a moment stands, judged at ``now`` (the present where None).

        Where the moment is ``trusted`` (of a log or a timestamp), it decides alone: what was signed before a
        revocation took effect stands. Else ``at`` is no more than a claim: a revocation taints all that was ever
        signed, and the validity must cover both the present and the claim, so that no date can be chosen to
        fit. ``fingerprint`` is the key that signed, for revocations of one key; "" for any.
        """
        now = now or datetime.now(UTC)
        proven = at if trusted else None
        if self.revocation(proven, fingerprint=fingerprint, now=now) is not None:
            return "revoked"
        moments = [proven] if proven is not None else [now, *([at] if at is not None else [])]
        if self.valid_until is not None and max(moments) > self.valid_until:
            return "expired"
        if self.valid_from is not None and min(moments) < self.valid_from:
            return "not yet valid"
        return "valid"

    def revocation(
        self, proven: datetime | None, *, fingerprint: str = "", now: datetime | None = None
    ) -> RevocationEntry | None:
        """Return the revocation that taints what was signed at a proven moment, or at an unknown one (None)."""
        now = now or datetime.now(UTC)
        for each in self.revocations:
            concerned = not each.key or not fingerprint or each.key == fingerprint
            if concerned and each.at <= now and (proven is None or proven >= each.at):
                return each
        return None


def standing_finding(
    contributor: Contributor, signer: Signer, *, claimed: datetime | None, now: datetime | None = None
) -> Finding | None:
    """Judge a signature by its signer's trusted time, or its claimed time where there is none; None where it stands.

    The findings are CON011 (revoked), CON012 (expired) and CON013 (not valid yet).
    """
    trusted = signer.time is not None
    at = signer.time if trusted else claimed
    standing = contributor.standing(at, trusted=trusted, fingerprint=signer.fingerprint, now=now)
    if standing == "valid":
        return None
    if standing == "revoked":
        return _revoked(contributor, signer, now)
    if standing == "expired":
        return finding(
            "CON012", f"{contributor.id} was a contributor until {contributor.valid_until:%Y-%m-%d}"
        )
    return finding("CON013", f"{contributor.id} is a contributor from {contributor.valid_from:%Y-%m-%d} on")


def _revoked(contributor: Contributor, signer: Signer, now: datetime | None) -> Finding:
    entry = contributor.revocation(signer.time, fingerprint=signer.fingerprint, now=now)
    assert entry is not None
    what = f"the key {entry.key} of {contributor.id}" if entry.key else contributor.id
    when = f"signed {signer.time:%Y-%m-%d}" if signer.time else "without a trusted time of the signature"
    return finding("CON011", f"{what} is revoked since {entry.at:%Y-%m-%d}: {entry.reason}", notes=(when,))
