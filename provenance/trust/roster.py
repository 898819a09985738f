"""A roster: the maintainers who answer for it, and the contributors by their keys and identities."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from os import PathLike

import msgspec

from policies import Finding, Signer
from provenance.signing.keys import PublicKey
from provenance.signing.trust import Trust, TrustedKey
from provenance.trust.contributors import Contributor, RevocationEntry, Standing, standing_finding

__all__ = [
    "Contributor",
    "RevocationEntry",
    "Roster",
    "Standing",
    "VerifiedRoster",
    "load_roster",
    "standing_finding",
]


class Roster(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A roster as its text says: nothing here tells whether anybody signed it.

    ``id`` stays the same through all versions. ``threshold`` maintainers must sign each version, which counts until the
    moment ``expires``, where there is one.
    """

    id: str
    version: int
    threshold: int
    expires: datetime | None = None
    maintainers: tuple[TrustedKey, ...] = ()
    contributors: tuple[Contributor, ...] = ()

    @cached_property
    def _by_fingerprint(self) -> dict[str, Contributor]:
        return {key.fingerprint: each for each in self.contributors for key in each.keys}

    @cached_property
    def _by_id(self) -> dict[str, Contributor]:
        return {each.id: each for each in self.contributors}

    @cached_property
    def _by_identity(self) -> dict[tuple[str, str], Contributor]:
        return {(one.identity, one.issuer): each for each in self.contributors for one in each.identities}

    def contributor(self, contributor_id: str) -> Contributor | None:
        """Return the contributor of an id."""
        return self._by_id.get(contributor_id)

    def contributor_of(self, fingerprint: str) -> Contributor | None:
        """Return whose key has this fingerprint (``SHA256:`` and hex)."""
        return self._by_fingerprint.get(fingerprint)

    def contributor_of_signer(self, signer: Signer) -> Contributor | None:
        """Return who a verified signer is: by the identity that Sigstore certified, else by the key."""
        if signer.method == "sigstore":
            return self._by_identity.get((signer.identity, signer.issuer))
        return self._by_fingerprint.get(signer.fingerprint)

    def trust(self) -> Trust:
        """Return all keys and identities, each under its contributor's id, to verify statements with."""
        return Trust(
            keys=tuple(key for each in self.contributors for key in each.keys),
            identities=tuple(one for each in self.contributors for one in each.identities),
        )


class VerifiedRoster(msgspec.Struct, frozen=True, kw_only=True):
    """A roster that enough accepted maintainers signed, and that is no older than what was seen before.

    ``digest`` is the SHA-256 of its text in hex; ``signers`` are the fingerprints that counted; ``findings`` hold
    warnings alone.
    """

    roster: Roster
    path: str
    digest: str
    signers: tuple[str, ...]
    findings: tuple[Finding, ...] = ()

    def contributor(self, contributor_id: str) -> Contributor | None:
        """Return the contributor of an id."""
        return self.roster.contributor(contributor_id)

    def contributor_of(self, fingerprint: str) -> Contributor | None:
        """Return whose key has this fingerprint (``SHA256:`` and hex)."""
        return self.roster.contributor_of(fingerprint)


def load_roster(
    path: str | PathLike[str],
    *,
    roster_keys: Iterable[str | PathLike[str] | PublicKey] = (),
    threshold: int = 1,
    remember: bool = True,
    now: datetime | None = None,
) -> VerifiedRoster:
    """Read a roster and verify that accepted maintainers signed it and that it is not rolled back.

    ``roster_keys`` are the maintainers' public keys, known from elsewhere; callers pass their statement keys where no
    roster keys were named. Signatures of these keys count, where the roster lists maintainers only of those among
    them. There must be as many as the roster's own threshold, as ``threshold``, and as the threshold of the last
    version seen, the latter by maintainers of that version (as TUF chains its roots: The Update Framework 1.0.33,
    section 5.3.4). The version is remembered unless ``remember`` is false, which still compares. ``now`` is the time by
    which the roster may have expired.

    Raises ``Refused`` (CON002 too few signatures, CON003 rollback, CON004 two texts of one version, CON021 expired),
    ``Malformed`` (CON005) or ``Undecided`` (CON001 not signed, CON006 unreadable, CON007 unknown what was seen).
    """
    from provenance.trust.roster_verifying import verify_roster

    return verify_roster(path, roster_keys=roster_keys, threshold=threshold, remember=remember, now=now)
