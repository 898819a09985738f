"""What the accepted signers of an artifact agree on: whose word counts for the bytes that a load hands out."""

from __future__ import annotations

import msgspec

from policies import Finding, finding
from provenance.artifacts.manifest import Resource
from provenance.attestations.oms import SignedManifest
from provenance.errors import Undecided, UsageError
from provenance.lineage.observing import notice, observed
from provenance.signing.candidates import Candidate
from provenance.verification import Gathered, Verification, conclude, signed_subject

__all__ = ["hand_out", "provable_chunks", "require_signature", "same_content", "signed_manifest"]


def hand_out(gathered: Gathered, verification: Verification) -> None:
    """Raise unless the verification accepts the artifact; else tell whoever records what training used."""
    verification.require_accepted()
    if observed():
        notice(signed_subject(gathered))


def require_signature(gathered: Gathered) -> None:
    """Raise unless an accepted signer signed: ``Refused`` or ``Undecided`` before any file is read.

    ``UsageError`` where the policy asks for no signature: without one there is nothing to prove bytes by.
    """
    if not gathered.policy.signatures.required:
        raise UsageError(
            f"the policy {gathered.policy.name} asks for no signature, so nothing can be proven by it",
            hint="name a policy that requires a signature, such as training",
        )
    if not gathered.valid:
        verdict = conclude(gathered, compared={})
        verdict.require_accepted()
        raise Undecided("nobody who is accepted has signed", judgement=verdict, code="SIG001")


def provable_chunks(gathered: Gathered) -> tuple[Resource, ...]:
    """Return the resources of the first bundle, with the chunk digests that every accepted signer vouches for.

    Chunks are what a load goes by. One signer's chunks say nothing for another, who signed the digest alone: with
    them a single dishonest signer would pass for two. Where they are not the same, the digest decides.
    """
    first, *others = gathered.valid
    agreeing = [_by_place(one) for one in others if not _same_content(first, one)]
    return tuple(
        resource
        if all(one[_place(resource)].chunks == resource.chunks for one in agreeing)
        else msgspec.structs.replace(resource, chunks=None)
        for resource in signed_manifest(first).manifest.resources
    )


def _same_content(first: Candidate, other: Candidate) -> tuple[Finding, ...]:
    """Another signature counts where it signs the same digests: what is read once is proven for both."""
    mine, theirs = _by_place(first), _by_place(other)
    same = mine.keys() == theirs.keys() and all(mine[place].digest == theirs[place].digest for place in mine)
    if not same:
        return (finding("SIG003", "it does not sign the same digests as the first bundle", path=other.where),)
    return ()


def same_content(gathered: Gathered) -> dict[str, tuple[Finding, ...]]:
    """What speaks against counting the other bundles beside the first, by their place."""
    first, *others = gathered.valid
    return {one.where: _same_content(first, one) for one in others}


def _by_place(candidate: Candidate) -> dict[tuple[str, int, int | None, str], Resource]:
    return {_place(each): each for each in signed_manifest(candidate).manifest.resources}


def _place(resource: Resource) -> tuple[str, int, int | None, str]:
    return resource.name, resource.start, resource.end, resource.algorithm


def signed_manifest(candidate: Candidate) -> SignedManifest:
    """Return the statement of a valid bundle."""
    assert candidate.signed is not None
    return candidate.signed
