"""Withdrawals: which keys, artifacts and statements have been revoked, by somebody who may, and since when.

A key may be withdrawn by itself, by another key or identity of the same contributor, by a maintainer of the roster, and
by whoever is trusted to sign statements. An artifact and a statement may be withdrawn by the latter two, and by whoever
signed for them, whose own word alone is taken back. A withdrawal replaces an earlier one only where one of the latter
two signed it: otherwise a stolen key could undo its own revocation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from policies import Signer
from provenance.attestations.revocation import RevokedKind, read_revocation
from provenance.lineage.claims import Claim
from provenance.lineage.index import reopened
from provenance.lineage.references import Reference

__all__ = ["Who", "Withdrawal", "Withdrawals", "read_withdrawals"]


Who = Callable[[Claim], tuple[Signer | None, bool]]
"""Who signed a claim, if that is somebody known, and whether that one may withdraw anything."""


class Withdrawal(NamedTuple):
    """One withdrawal by somebody known: ``digest`` is the hex of what is withdrawn; ``chief`` may withdraw anything."""

    kind: RevokedKind
    digest: str
    since: datetime
    reason: str
    signer: Signer
    chief: bool
    claim: Claim
    supersedes: str


class Withdrawals:
    """All withdrawals that have taken effect, looked up by what is withdrawn."""

    def __init__(
        self, withdrawals: Iterable[Withdrawal], same_person: Callable[[Signer, Signer], bool]
    ) -> None:
        self._found: dict[tuple[RevokedKind, str], list[Withdrawal]] = {}
        self._same_person = same_person
        for each in withdrawals:
            self._found.setdefault((each.kind, each.digest), []).append(each)

    def of_key(self, signer: Signer) -> Withdrawal | None:
        """Return what taints the signatures by a signer's key, at the time that is proven, or at an unknown one."""
        if not self._found:
            return None
        return self._of("key", signer.fingerprint.removeprefix("SHA256:").lower(), signer)

    def of_claim(self, claim: Claim, signer: Signer) -> Withdrawal | None:
        """Return what takes back a statement: itself, or one of the artifacts that it speaks of."""
        if not self._found:
            return None
        found = self._of("statement", claim.statement, signer)
        for subject in claim.subjects:
            found = found or self._of("artifact", subject.sha256, signer)
        return found

    def of_artifact(self, reference: Reference) -> Withdrawal | None:
        """Return the withdrawal of an artifact as a whole."""
        return next(
            (each for each in self._found.get(("artifact", reference.sha256), ()) if each.chief), None
        )

    def _of(self, kind: RevokedKind, digest: str, signer: Signer) -> Withdrawal | None:
        for each in self._found.get((kind, digest), ()):
            entitled = each.chief or self._same_person(each.signer, signer)
            if entitled and (signer.time is None or signer.time >= each.since):
                return each
        return None


def read_withdrawals(claims: Iterable[Claim], *, now: datetime, who: Who) -> list[Withdrawal]:
    """Read the revocations that somebody known signed and that have taken effect by ``now``.

    Raises ``Unreadable`` (LIN010) where one has gone since it was indexed.
    """
    found = [each for claim in claims for each in _read(claim, who)]
    replaced = {each.supersedes for each in found if each.chief and each.supersedes}
    return [each for each in found if each.claim.statement not in replaced and each.since <= now]


def _read(claim: Claim, who: Who) -> Iterable[Withdrawal]:
    signer, chief = who(claim)
    if signer is None:
        return
    unverified = reopened(claim)
    revocation = read_revocation(unverified.statement)
    yield Withdrawal(
        kind=revocation.revokes,
        digest=unverified.statement.subject[0].digest["sha256"],
        since=revocation.effective_from,
        reason=revocation.reason,
        signer=signer,
        chief=chief,
        claim=claim,
        supersedes=revocation.supersedes or "",
    )
