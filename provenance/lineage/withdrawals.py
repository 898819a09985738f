"""Withdrawals: which keys, artifacts and statements have been revoked, by somebody who may, and since when.

A key may be withdrawn by itself, by another key of the same contributor, by a maintainer of the roster, and by whoever
is trusted to sign statements. An artifact and a statement may be withdrawn by the latter two, and by whoever signed for
them, whose own word alone is taken back. A withdrawal replaces an earlier one only where one of the latter two signed
it: otherwise a stolen key could undo its own revocation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from provenance.attestations.revocation import RevokedKind, read_revocation
from provenance.lineage.claims import Claim
from provenance.lineage.index import reopened
from provenance.lineage.references import Reference

__all__ = ["Withdrawal", "Withdrawals", "read_withdrawals"]


class Withdrawal(NamedTuple):
    """One withdrawal by somebody known: ``digest`` is the hex of what is withdrawn; ``chief`` may withdraw anything."""

    kind: RevokedKind
    digest: str
    since: datetime
    reason: str
    signer: str
    chief: bool
    claim: Claim
    supersedes: str


class Withdrawals:
    """All withdrawals that have taken effect, looked up by what is withdrawn."""

    def __init__(self, withdrawals: Iterable[Withdrawal], same_person: Callable[[str, str], bool]) -> None:
        self._found: dict[tuple[RevokedKind, str], list[Withdrawal]] = {}
        self._same_person = same_person
        for each in withdrawals:
            self._found.setdefault((each.kind, each.digest), []).append(each)

    def of_key(self, fingerprint: str, proven: datetime | None) -> Withdrawal | None:
        """Return what taints a signature by this key, at a proven time or at an unknown one (None)."""
        if not self._found:
            return None
        return self._of("key", fingerprint.removeprefix("SHA256:").lower(), fingerprint, proven)

    def of_claim(self, claim: Claim, signer: str, proven: datetime | None) -> Withdrawal | None:
        """Return what takes back a statement: itself, or one of the artifacts that it speaks of."""
        if not self._found:
            return None
        found = self._of("statement", claim.statement, signer, proven)
        for subject in claim.subjects:
            found = found or self._of("artifact", subject.sha256, signer, proven)
        return found

    def of_artifact(self, reference: Reference) -> Withdrawal | None:
        """Return the withdrawal of an artifact as a whole."""
        return next(
            (each for each in self._found.get(("artifact", reference.sha256), ()) if each.chief), None
        )

    def _of(self, kind: RevokedKind, digest: str, signer: str, proven: datetime | None) -> Withdrawal | None:
        for each in self._found.get((kind, digest), ()):
            entitled = each.chief or self._same_person(each.signer, signer)
            if entitled and (proven is None or proven >= each.since):
                return each
        return None


def read_withdrawals(
    claims: Iterable[Claim], *, now: datetime, is_chief: Callable[[str], bool]
) -> list[Withdrawal]:
    """Read the revocations that known keys signed and that have taken effect by ``now``.

    Raises ``Unreadable`` (LIN010) where one has gone since it was indexed.
    """
    found = [each for claim in claims if claim.signer for each in _read(claim, is_chief)]
    replaced = {each.supersedes for each in found if each.chief and each.supersedes}
    return [each for each in found if each.claim.statement not in replaced and each.since <= now]


def _read(claim: Claim, is_chief: Callable[[str], bool]) -> Iterable[Withdrawal]:
    unverified = reopened(claim)
    revocation = read_revocation(unverified.statement)
    yield Withdrawal(
        kind=revocation.revokes,
        digest=unverified.statement.subject[0].digest["sha256"],
        since=revocation.effective_from,
        reason=revocation.reason,
        signer=claim.signer,
        chief=is_chief(claim.signer),
        claim=claim,
        supersedes=revocation.supersedes or "",
    )
