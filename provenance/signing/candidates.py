"""The bundles beside an artifact: which are by an accepted signer, and which files their manifests list."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec

from policies import Finding, Signer, finding
from provenance.artifacts.listing import Listing
from provenance.artifacts.manifest import Resource
from provenance.attestations.bundle import parse_bundle
from provenance.attestations.discovery import BundleSource, Found
from provenance.attestations.oms import SignedManifest, read_manifest
from provenance.errors import ProvenanceError
from provenance.signing.trust import Trust
from provenance.signing.verifying import verify_bundle

__all__ = ["Candidate", "expected_resources", "judge_candidates", "open_candidates"]

# Problems of a bundle that do not matter where other bundles satisfy the policy: it is by somebody else.
_NOT_OURS = frozenset({"SIG006", "SIG015"})


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One bundle: the verified signer and the manifest (both, or neither), and what was found about it."""

    where: str
    primary: bool
    signer: Signer | None = None
    signed: SignedManifest | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether an accepted signer signed a manifest and nothing was wrong with it."""
        proven = self.signer is not None and self.signed is not None
        return proven and not any(found.severity == "error" for found in self.findings)


def open_candidates(found: Found, trust: Trust, *, now: datetime) -> tuple[Candidate, ...]:
    """Verify the signature of each bundle that was found, then read its manifest; nothing is compared yet."""
    sources = [(source, True) for source in found.primary] + [(source, False) for source in found.additional]
    return tuple(_open(source, trust, now, primary=primary) for source, primary in sources)


def _open(source: BundleSource, trust: Trust, now: datetime, *, primary: bool) -> Candidate:
    signer: Signer | None = None
    signed: SignedManifest | None = None
    findings: tuple[Finding, ...] = ()
    try:
        if source.problem is not None:
            raise source.problem
        bundle = parse_bundle(source.data)
        signer, findings = verify_bundle(bundle, trust, now=now, where=source.where)
        # Nothing that a stranger wrote is looked into.
        if signer is not None:
            signed = read_manifest(bundle.payload)
            findings = (*findings, *signed.findings)
    except ProvenanceError as error:
        if not error.code:
            raise
        findings = (*findings, finding(error.code, error.message, path=source.where, hint=error.hint))
        signed = None
    findings = tuple(
        found if found.path else msgspec.structs.replace(found, path=source.where) for found in findings
    )
    return Candidate(where=source.where, primary=primary, signer=signer, signed=signed, findings=findings)


def expected_resources(
    resources: tuple[Resource, ...], listing: Listing
) -> tuple[tuple[Resource, ...], tuple[Finding, ...]]:
    """Return the signed resources that speak of the listed files, under the names that these have on the disk.

    A single file is matched by its digest, never by its name: where the bundle signs one file, that is it. Where a
    bundle signs a directory that the file lies in, only the resources of its name count.
    """
    if not listing.single or not listing.files:
        return resources, ()
    name = listing.files[0].name
    names = {resource.name for resource in resources}
    if len(names) > 1:
        return tuple(resource for resource in resources if resource.name == name), ()
    (signed_name,) = names
    renamed = tuple(msgspec.structs.replace(resource, name=name) for resource in resources)
    if signed_name in {name, "."}:
        return renamed, ()
    return renamed, (finding("SIG016", f"it was signed under the name {signed_name}", path=name),)


def judge_candidates(
    candidates: tuple[Candidate, ...], compared: dict[str, tuple[Finding, ...]]
) -> tuple[tuple[Signer, ...], tuple[Finding, ...]]:
    """Return the signers that count and the findings, given what comparing each valid candidate found.

    Every primary bundle must hold, unless it is by somebody who is not accepted while others are. An additional
    bundle that does not hold is left out of the count with a warning (SIG019).
    """
    holding = [one for one in candidates if one.valid and not _errors(compared.get(one.where, ()))]
    signers = tuple(one.signer for one in holding if one.signer is not None)
    findings = [found for one in candidates for found in _findings(one, compared, satisfied=bool(holding))]
    return signers, tuple(findings)


def _errors(findings: tuple[Finding, ...]) -> list[Finding]:
    return [found for found in findings if found.severity == "error"]


def _findings(
    one: Candidate, compared: dict[str, tuple[Finding, ...]], *, satisfied: bool
) -> Iterator[Finding]:
    everything = (*one.findings, *compared.get(one.where, ()))
    errors = _errors(everything)
    tolerable = not one.primary or {found.rule for found in errors} <= _NOT_OURS
    if not errors or not satisfied or not tolerable:
        yield from everything
    elif {found.rule for found in errors} != {"SIG015"}:
        yield finding("SIG019", f"not counted: {errors[0].message}", path=one.where, notes=errors[0].notes)
