"""From evidence to a verdict: ``policies.decide`` judges what was gathered and what reading the files showed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from policies import Evidence, FileEvidence, Finding, decide
from provenance.attestations.statement import Subject
from provenance.attestations.subjects import artifact_name, artifact_subject, file_subject
from provenance.scanning.belonging import belonging
from provenance.signing.candidates import Candidate, expected_resources, judge_candidates
from provenance.verification.gathering import Gathered
from provenance.verification.verdict import Verification

if TYPE_CHECKING:
    from provenance.lineage.evidence import LineageEvidence

__all__ = ["conclude", "signed_by", "signed_subject"]


def conclude(
    gathered: Gathered,
    *,
    compared: dict[str, tuple[Finding, ...]],
    unsigned: Iterable[str] = (),
    files: Sequence[FileEvidence] = (),
    findings: Iterable[Finding] = (),
    checked_bytes: int = 0,
) -> Verification:
    """Judge what was gathered together with what reading the files showed.

    ``compared`` maps the place of each valid bundle to what comparing its manifest with the disk found.
    """
    signers, about_bundles = judge_candidates(gathered.candidates, compared)
    first = next((one.signed for one in gathered.valid if one.signed is not None), None)
    lineage = _lineage(gathered)
    evidence = Evidence(
        subject=gathered.path.name or str(gathered.path),
        digest=first.root_digest.hex() if first is not None else "",
        signers=signers,
        findings=(*gathered.findings, *gathered.listing.findings, *about_bundles, *findings),
        unsigned=tuple(unsigned),
        uncovered=gathered.listing.uncovered,
        files=tuple(belonging(files)),
        lineage=lineage.status if lineage is not None else "unasked",
        lineage_ends=lineage.ends if lineage is not None else (),
        lineage_findings=lineage.findings if lineage is not None else (),
        checked_files=len(files),
        checked_bytes=checked_bytes,
    )
    verdict = decide(gathered.policy, evidence, now=gathered.now)
    return Verification(
        decision=verdict.decision,
        findings=verdict.findings,
        subject=evidence.subject,
        policy=gathered.policy.name,
        digest=evidence.digest,
        signers=signers,
        resources=first.manifest.resources if first is not None else (),
        files=evidence.files,
        checked_files=evidence.checked_files,
        checked_bytes=checked_bytes,
        lineage=evidence.lineage,
        lineage_ends=evidence.lineage_ends,
    )


def signed_subject(gathered: Gathered) -> Subject:
    """Return the subject by which statements of lineage name the artifact, as the first valid bundle signs it.

    It is that of the manifest where this lists whole files by SHA-256; else the artifact is read for it.
    """
    manifest = gathered.manifest
    if manifest is None or (manifest.serialization.method, manifest.serialization.hash_type) != (
        "files",
        "sha256",
    ):
        from provenance.lineage.subjects import subject_of

        return subject_of(gathered.path, ignore=gathered.ignore)
    name = artifact_name(gathered.path)
    resources, _ = expected_resources(manifest.resources, gathered.listing)
    if gathered.listing.single and len(resources) == 1:
        return file_subject(name, resources[0].digest)
    return artifact_subject(name, resources)


def signed_by(one: Candidate) -> tuple[str, ...]:
    """Return the note that says who signed a valid bundle, and when where that is known."""
    assert one.signer is not None
    who = one.signer.identity or one.signer.fingerprint
    when = f", {one.signer.time:%Y-%m-%d}" if one.signer.time is not None else ""
    return (f"signed by {one.signer.name} ({who}){when}",)


def _lineage(gathered: Gathered) -> LineageEvidence | None:
    """Follow the artifact where the policy asks and an accepted signature says which it is."""
    if not gathered.policy.asks_for_lineage or (gathered.policy.signatures.required and not gathered.valid):
        return None
    from provenance.lineage.evidence import lineage_evidence  # few policies ask, and it needs SQLite

    return lineage_evidence(
        gathered.path,
        signed_subject(gathered),
        gathered.policy,
        gathered.trust,
        stores=gathered.stores,
        roster=gathered.roster,
        roster_keys=gathered.roster_keys,
        now=gathered.now,
    )
