"""From bundles to claims: whose each contribution is, and whether that contributor may contribute."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from policies import Signer
from provenance.aggregation.rounds.claims import Claim, Rejected, RoundName
from provenance.artifacts.names import ATTESTATION_DIRECTORY
from provenance.attestations.contribution import read_contribution
from provenance.attestations.discovery import BundleSource
from provenance.attestations.types import CONTRIBUTION_PREDICATE_TYPE
from provenance.errors import Malformed, ProvenanceError, Refused, Undecided
from provenance.signing.statements import Keyring, UnverifiedStatement, read_statement, verify_statement

__all__ = ["Entitled", "Proven", "prove_claims"]

# Says why a signer of the roster may not contribute (a sentence), or nothing.
Entitled = Callable[[Signer], str]


class Proven(msgspec.Struct, frozen=True):
    """The claims that are proven, and the contributions that are not what they say."""

    claims: tuple[Claim, ...]
    rejected: tuple[Rejected, ...]


def prove_claims(sources: Iterable[BundleSource], ring: Keyring, entitled: Entitled, *, root: Path) -> Proven:
    """Read the contributions among some bundles; what is no contribution of an update is left aside.

    ``root`` is the folder of the round, to which places are relative. ``ring`` holds the keys of all contributors
    under their ids. Nothing that a stranger wrote is a claim.
    """
    claims: list[Claim] = []
    rejected: list[Rejected] = []
    for source in sources:
        try:
            unverified = read_statement(source)
        except ProvenanceError:
            continue  # it may be anything; an update that it was to speak of has no statement then
        if unverified.statement.predicate_type != CONTRIBUTION_PREDICATE_TYPE:
            continue
        found = _prove(unverified, source, ring, entitled, root)
        if isinstance(found, Claim):
            claims.append(found)
        elif found is not None:
            rejected.append(found)
    return Proven(tuple(claims), tuple(rejected))


def _prove(
    unverified: UnverifiedStatement, source: BundleSource, ring: Keyring, entitled: Entitled, root: Path
) -> Claim | Rejected | None:
    try:
        contribution = read_contribution(unverified.statement)
    except Malformed as error:
        message = f"the contribution is malformed: {error.message}"
        return _rejected(unverified, "", "AGG002", message, root)
    update, claimed = contribution.update, contribution.contributor
    if update is None:
        return None
    try:
        signed = verify_statement(unverified, ring)
    except (Refused, Undecided, Malformed) as error:
        message = f"it claims to be of {claimed}, and {_why(error)}"
        return _rejected(unverified, claimed, "AGG002", message, root)
    signer = signed.signer
    if claimed not in signer.satisfies:
        message = f"it claims to be of {claimed}, and {', '.join(signer.satisfies)} signed it"
        return _rejected(unverified, claimed, "AGG003", message, root)
    if problem := entitled(signer):
        return _rejected(unverified, claimed, "AGG004", problem, root)
    subject = unverified.statement.subject[0]
    return Claim(
        contributor=claimed,
        fingerprint=signer.fingerprint,
        digest=subject.digest["sha256"],
        round=RoundName(update.task, update.round),
        base=update.base.sha256,
        form=update.form,
        statement=signed.digest,
        where=source.where,
        place=_place(unverified, root),
        bundle=source.data,
    )


def _why(error: ProvenanceError) -> str:
    if error.code == "SIG006":
        return "no key of the roster signed it"
    return error.message.rpartition(": ")[2] or error.message


def _place(unverified: UnverifiedStatement, root: Path) -> str:
    """Where the file lies if it was not moved: beside the bundle, or beside the folder that the bundle is in."""
    directory = Path(unverified.where).parent
    if directory.name == ATTESTATION_DIRECTORY:
        directory = directory.parent
    name = unverified.statement.subject[0].name
    return os.path.relpath(directory / name, root) if name else unverified.where


def _rejected(
    unverified: UnverifiedStatement, contributor: str, rule: str, message: str, root: Path
) -> Rejected:
    subject = unverified.statement.subject[0]
    return Rejected(
        contributor=contributor,
        path=_place(unverified, root),
        rule=rule,
        message=message,
        digest=subject.digest.get("sha256", ""),
    )
