"""Whose word counts: the keys and identities accepted for statements, and the roster's members for contributions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from policies import GIVEN, Finding, Signer, finding
from provenance.errors import Malformed, Refused, Undecided
from provenance.lineage.claims import BROKEN, CONTRIBUTION, REVOCATION, SIGNATURE, UNSIGNED, Claim
from provenance.lineage.index import Statements, reopened
from provenance.lineage.references import Reference
from provenance.lineage.withdrawals import Withdrawals, read_withdrawals
from provenance.signing.keys import PublicKey, fingerprint
from provenance.signing.statements import Keyring, keyring, verify_statement
from provenance.signing.trust import Trust, TrustedKey
from provenance.trust.roster import Contributor, Roster, standing_finding

__all__ = ["Authority", "Belief", "known_keys"]

_UNSIGNED_KINDS: Final = frozenset({UNSIGNED, BROKEN})
_MEMBERS_KINDS: Final = frozenset({CONTRIBUTION, SIGNATURE})


class Belief(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is made of one claim.

    ``accepted``: the signer may say such a thing, and nothing speaks against it. ``findings`` are the errors that do,
    where it is by somebody known. A claim that is neither accepted nor has findings is by a stranger, or unsigned.
    """

    claim: Claim
    accepted: bool = False
    signer: Signer | None = None
    member: str = ""
    findings: tuple[Finding, ...] = ()

    @property
    def who(self) -> str:
        """Name the signer for people."""
        if self.member:
            return self.member
        if self.signer is not None:
            return self.signer.identity or self.signer.name
        return "nobody" if self.claim.kind == UNSIGNED else self.claim.claimed_signer or "a stranger"

    @property
    def wrong(self) -> bool:
        """Whether somebody known signed it and it does not stand."""
        return bool(self.findings)


def known_keys(trust: Trust, roster: Roster | None, more: Iterable[PublicKey] = ()) -> Keyring:
    """Collect every key whose signatures are worth recognising, trusted or not."""
    others = tuple(TrustedKey("", key, fingerprint(key)) for key in more)
    listed = roster.trust().keys + roster.maintainers if roster is not None else ()
    return keyring(Trust(keys=(*trust.keys, *listed, *others)))


class Authority:
    """Judges claims, each once, as of one moment: ``now``."""

    def __init__(
        self,
        trust: Trust,
        roster: Roster | None,
        statements: Statements,
        *,
        now: datetime,
        members_only: bool = False,
    ) -> None:
        self.roster, self.now, self.members_only = roster, now, members_only
        self._names = {each.fingerprint: each.name for each in trust.keys}
        # Apart, for a contributor may be called as a signer is.
        self._signers = keyring(trust)
        self._members = keyring(roster.trust() if roster is not None else Trust())
        found = read_withdrawals(statements.of_kind(REVOCATION), now=now, who=self._withdrawer)
        self._withdrawals = Withdrawals(found, self._same_person)
        self._beliefs: dict[tuple[str, str], Belief] = {}

    def believe(self, claim: Claim) -> Belief:
        """Judge one claim."""
        key = claim.where, claim.statement
        found = self._beliefs.get(key)
        if found is None:
            found = self._beliefs[key] = self._judge(claim)
        return found

    def withdrawn(self, reference: Reference) -> Finding | None:
        """Tell whether an artifact itself was withdrawn by somebody who may withdraw any."""
        found = self._withdrawals.of_artifact(reference)
        if found is None:
            return None
        said = f"{reference.name} was withdrawn on {found.since:%Y-%m-%d}: {found.reason}"
        return finding("LIN005", said, path=found.claim.where)

    def _judge(self, claim: Claim) -> Belief:
        if claim.kind in _UNSIGNED_KINDS:
            return Belief(claim=claim)
        if claim.claimed_signer:
            name = self._called(claim.claimed_signer)
            wrong = finding("LIN003", f"it is not by the key of {name} that it names", path=claim.where)
            return Belief(claim=claim, findings=(wrong,))
        try:
            signer, accepted = self._signer(claim)
        except Malformed as error:
            return Belief(claim=claim, findings=(finding("LIN003", error.message, path=claim.where),))
        if signer is None:
            return Belief(claim=claim)
        member = self._member(signer)
        findings = tuple(self._objections(claim, signer, member, accepted=accepted))
        named = member.id if member is not None else ""
        if member is not None:
            accepted = accepted or claim.kind in _MEMBERS_KINDS
        elif claim.kind == CONTRIBUTION:
            accepted = accepted and not self.members_only
            named = claim.contributor if accepted else ""
        return Belief(
            claim=claim, accepted=accepted and not findings, signer=signer, member=named, findings=findings
        )

    def _signer(self, claim: Claim) -> tuple[Signer | None, bool]:
        """Return who signed, if that is somebody known, and whether its statements are accepted.

        Raises ``Malformed`` where a certificate's signature is wrong.
        """
        if claim.material == "key":
            if not claim.signer:
                return None, False
            name = self._called(claim.signer)
            signer = Signer(name=name, method="key", fingerprint=claim.signer, bundle=claim.where)
            return signer, claim.signer in self._names
        unverified = reopened(claim)
        for ring, accepted in ((self._signers, True), (self._members, False)):
            try:
                return verify_statement(unverified, ring, now=self.now).signer, accepted
            except Refused as error:
                if error.code == "SIG002":
                    raise Malformed(error.message, code="SIG002") from error
            except Undecided:
                continue
        return None, False

    def _objections(
        self, claim: Claim, signer: Signer, member: Contributor | None, *, accepted: bool
    ) -> Iterable[Finding]:
        """What speaks against a claim by somebody known."""
        withdrawn = self._withdrawals.of_key(signer)
        if withdrawn is not None:
            said = f"the key {signer.fingerprint} is revoked since {withdrawn.since:%Y-%m-%d}: {withdrawn.reason}"
            yield finding("LIN004", said, path=claim.where, notes=(f"revoked in {withdrawn.claim.where}",))
        withdrawn = self._withdrawals.of_claim(claim, signer)
        if withdrawn is not None:
            said = f"it was withdrawn on {withdrawn.since:%Y-%m-%d}: {withdrawn.reason}"
            yield finding("LIN005", said, path=claim.where, notes=(f"withdrawn in {withdrawn.claim.where}",))
        if claim.kind == CONTRIBUTION and self._is_in_the_name_of_another(claim, member):
            by = member.id if member is not None else signer.name
            said = f"it names the contributor {claim.contributor}, and {by} signed it"
            yield finding("CON010", said, path=claim.where)
        if member is None:
            return
        found = standing_finding(member, signer, claimed=claim.created, now=self.now)
        # Who is accepted for statements may have stopped contributing; a key that is revoked is so for everything.
        if found is not None and (not accepted or claim.kind == CONTRIBUTION or found.rule == "CON011"):
            yield msgspec.structs.replace(found, path=claim.where)

    def _member(self, signer: Signer) -> Contributor | None:
        return self.roster.contributor_of_signer(signer) if self.roster is not None else None

    def _is_in_the_name_of_another(self, claim: Claim, member: Contributor | None) -> bool:
        if member is not None:
            return claim.contributor != member.id
        return self.roster is not None and self.roster.contributor(claim.contributor) is not None

    def _called(self, fingerprint_: str) -> str:
        """How a key is called: as the policy or the roster calls its owner, else by its fingerprint."""
        name = self._names.get(fingerprint_, "")
        member = self.roster.contributor_of(fingerprint_) if self.roster is not None else None
        if name and name != GIVEN:
            return name
        return member.id if member is not None else fingerprint_

    def _withdrawer(self, claim: Claim) -> tuple[Signer | None, bool]:
        """Return who signed a revocation; those who are accepted for statements and maintainers may revoke anything."""
        try:
            signer, accepted = self._signer(claim)
        except Malformed:
            return None, False
        maintainers = self.roster.maintainers if self.roster is not None else ()
        chief = accepted or any(each.fingerprint == claim.signer for each in maintainers)
        return signer, chief

    def _same_person(self, one: Signer, other: Signer) -> bool:
        if one.fingerprint == other.fingerprint:
            return True
        if one.identity and (one.method, one.identity, one.issuer) == (
            other.method,
            other.identity,
            other.issuer,
        ):
            return True
        member = self._member(one)
        return member is not None and member == self._member(other)
