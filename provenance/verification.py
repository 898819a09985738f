"""Verifying an artifact: evidence is gathered here, and ``policies.decide`` judges it.

The order matters: signatures first, then nothing more of a bundle that no accepted signer signed; then the files,
each read once, for the digests that the signed manifests name and for its format.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import msgspec

from policies import (
    Evidence,
    FileEvidence,
    Finding,
    LineageEnd,
    LineageStatus,
    Policy,
    PolicyError,
    Signer,
    decide,
    finding,
    tolerating_unsigned,
    with_given,
)
from policies.findings import DecisionName
from provenance.artifacts.comparing import compare
from provenance.artifacts.listing import Listing, list_artifact, list_one
from provenance.artifacts.manifest import Manifest, Resource, Serialization
from provenance.artifacts.measuring import Measured, Observer, OpenFile, measure
from provenance.artifacts.names import ignore_problem, recorded_exclusions
from provenance.artifacts.reading import Progress
from provenance.attestations.discovery import Found, find_bundles
from provenance.attestations.statement import Subject
from provenance.attestations.subjects import artifact_name, artifact_subject, file_subject
from provenance.errors import ProvenanceError, Refused, Undecided, UsageError
from provenance.policy_files import load_policy
from provenance.scanning.belonging import belonging
from provenance.scanning.locating import describe_range
from provenance.scanning.readers import BytesReader, FileReader
from provenance.scanning.scan import examine
from provenance.signing.candidates import Candidate, expected_resources, judge_candidates, open_candidates
from provenance.signing.trust import Trust, trust_from

if TYPE_CHECKING:
    from provenance.lineage.evidence import LineageEvidence

__all__ = [
    "Gathered",
    "Verification",
    "VerifyOptions",
    "conclude",
    "format_observer",
    "gather",
    "listing_for",
    "settle_policy",
    "signed_by",
    "signed_subject",
    "verify",
]

AnyPath = str | PathLike[str]
_EXIT_STATUS: dict[DecisionName, int] = {"accepted": 0, "refused": 1, "undecided": 3}


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict over an artifact: ``decision``, the ``findings`` that led to it, and what was checked.

    ``digest`` is the root digest (hex) of the manifest that was verified, "" where none was. ``lineage`` is "unasked"
    unless the policy says something of where the artifact may come from; its ends are then listed too.
    """

    decision: DecisionName
    findings: tuple[Finding, ...]
    subject: str
    policy: str
    digest: str = ""
    signers: tuple[Signer, ...] = ()
    resources: tuple[Resource, ...] = ()
    files: tuple[FileEvidence, ...] = ()
    checked_files: int = 0
    checked_bytes: int = 0
    lineage: LineageStatus = "unasked"
    lineage_ends: tuple[LineageEnd, ...] = ()

    @property
    def exit_status(self) -> int:
        """The command's exit status: 0 accepted, 1 refused, 3 undecided."""
        return _EXIT_STATUS[self.decision]

    def require_accepted(self) -> None:
        """Return where the decision is "accepted"; else raise ``Refused`` or ``Undecided`` that carry this object."""
        if self.decision == "accepted":
            return
        worst = next((found for found in self.findings if found.severity == "error"), None)
        place = ", ".join(filter(None, (worst.path, worst.where))) if worst else ""
        said = ": ".join(filter(None, (self.subject, place, worst.message if worst else "")))
        kind = Refused if self.decision == "refused" else Undecided
        raise kind(said, judgement=self, code=worst.rule if worst else "", hint=worst.hint if worst else "")


class VerifyOptions(TypedDict, total=False):
    """What every verb that verifies is told.

    Signers are given on the spot (``keys``, ``certificate_chain``, ``identity`` with ``issuer``; judged otherwise as
    ``strict``) or by ``policy`` (a built-in's name, a file, a ``Policy``). ``trusted_root`` is a file of Sigstore's
    trust roots in place of those that are shipped; ``signature`` the bundle, where it is not in its usual place;
    ``store`` where statements about inputs lie; ``roster`` who may contribute, signed by ``roster_keys``, in place of
    what the policy names; ``ignore`` exact relative paths to leave out; ``now`` the time to judge at.
    """

    keys: AnyPath | Iterable[AnyPath]
    certificate_chain: AnyPath | Iterable[AnyPath]
    identity: str
    issuer: str
    trusted_root: AnyPath | None
    policy: str | Path | Policy | None
    signature: AnyPath | None
    store: AnyPath | Iterable[AnyPath]
    roster: AnyPath | None
    roster_keys: AnyPath | Iterable[AnyPath]
    ignore: Iterable[str]
    ignore_unsigned_files: bool
    now: datetime | None


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an artifact before any of its files was read: the policy, the listing and the bundles."""

    path: Path
    policy: Policy
    now: datetime
    listing: Listing
    candidates: tuple[Candidate, ...]
    findings: tuple[Finding, ...]
    trust: Trust = Trust()
    stores: tuple[Path, ...] = ()
    roster: Path | None = None
    roster_keys: tuple[Path, ...] = ()
    own: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    @property
    def valid(self) -> tuple[Candidate, ...]:
        """The bundles that an accepted signer signed."""
        return tuple(one for one in self.candidates if one.valid)

    @property
    def manifest(self) -> Manifest | None:
        """The manifest of the first valid bundle, or None where there is none."""
        return next((one.signed.manifest for one in self.valid if one.signed is not None), None)


def verify(
    path: AnyPath,
    *,
    thorough: bool = False,
    progress: Progress | None = None,
    **options: Unpack[VerifyOptions],
) -> Verification:
    """Verify the signatures, the files and the formats of an artifact by a policy, without any network.

    ``options`` are those of ``VerifyOptions``; ``thorough`` compares the chunk digests too.
    Returns a ``Verification`` whatever the verdict; raises ``UsageError`` where the question itself is wrong.
    """
    return _check_files(gather(path, **options), thorough=thorough, progress=progress)


def gather(  # noqa: PLR0913 (the options of the command)
    path: AnyPath,
    *,
    keys: AnyPath | Iterable[AnyPath] = (),
    certificate_chain: AnyPath | Iterable[AnyPath] = (),
    identity: str = "",
    issuer: str = "",
    trusted_root: AnyPath | None = None,
    policy: str | Path | Policy | None = None,
    signature: AnyPath | None = None,
    store: AnyPath | Iterable[AnyPath] = (),
    roster: AnyPath | None = None,
    roster_keys: AnyPath | Iterable[AnyPath] = (),
    ignore: Iterable[str] = (),
    ignore_unsigned_files: bool = False,
    now: datetime | None = None,
    only: str = "",
) -> Gathered:
    """Find and verify the signatures of an artifact and list its files, without reading any of them.

    ``only`` names the one file of a directory that is asked about: then nothing else of it is listed.
    """
    path = Path(path)
    now = now or datetime.now(UTC)
    rules = settle_policy(
        policy, keys=keys, certificate_chain=certificate_chain, identity=identity, issuer=issuer
    )
    if ignore_unsigned_files:
        rules = tolerating_unsigned(rules)
    ignore = tuple(ignore)
    for name in ignore:
        if problem := ignore_problem(name):
            raise UsageError(
                f"cannot ignore {name}: it {problem}", hint="name a path relative to the artifact"
            )
    trust = trust_from(rules, trusted_root=None if trusted_root is None else Path(trusted_root))
    found, findings = _find(path, signature)
    # Where nobody is trusted there is nothing to hold a signature against (POL002 says so).
    asked = rules.signatures.required and bool(rules.signers)
    candidates = open_candidates(found, trust, now=now) if asked else ()
    own = _own_paths(path, signature)
    first = next((one.signed.manifest.serialization for one in candidates if one.valid and one.signed), None)
    recorded = recorded_exclusions(first.ignore_paths) if first is not None else ()
    links = first is not None and first.allow_symlinks
    listing = (
        list_one(path, only, allow_symlinks=links)
        if only
        else list_artifact(path, ignore=(*recorded, *ignore), own=own, allow_symlinks=links)
    )
    if any(found.rule == "ART010" for found in listing.findings):
        findings = ()  # where there is nothing, no signature is missing
    return Gathered(
        path=path,
        policy=rules,
        now=now,
        listing=listing,
        candidates=candidates,
        findings=findings if rules.signatures.required else (),
        trust=trust,
        stores=tuple(map(Path, _paths(store))),
        roster=None if roster is None else Path(roster),
        roster_keys=tuple(map(Path, _paths(roster_keys))),
        own=own,
        ignore=ignore,
    )


def settle_policy(
    policy: str | Path | Policy | None,
    *,
    keys: AnyPath | Iterable[AnyPath] = (),
    certificate_chain: AnyPath | Iterable[AnyPath] = (),
    identity: str = "",
    issuer: str = "",
) -> Policy:
    """Return the policy that is meant, with the signers given on the spot; ``strict`` where none is named.

    Raises ``UsageError`` where there is no such policy, or where it names signers of its own and others are given.
    """
    rules = load_policy("strict" if policy is None else policy)
    given = _paths(keys), _paths(certificate_chain)
    if not (any(given) or identity or issuer):
        return rules
    try:
        return with_given(rules, keys=given[0], certificates=given[1], identity=identity, issuer=issuer)
    except PolicyError as error:
        raise UsageError(error.message, code="POL005", hint=error.hint) from error


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


def _paths(given: AnyPath | Iterable[AnyPath] | None) -> tuple[str, ...]:
    if given is None:
        return ()
    if isinstance(given, str | PathLike):
        return (str(given),)
    return tuple(str(one) for one in given)


def _find(path: Path, signature: AnyPath | None) -> tuple[Found, tuple[Finding, ...]]:
    """Find the bundles; where there is none, the finding that says so."""
    try:
        return find_bundles(path, signature=None if signature is None else Path(signature)), ()
    except ProvenanceError as error:
        if not error.code:
            raise
        return Found(), (finding(error.code, error.message, path=str(signature or path), hint=error.hint),)


def _own_paths(path: Path, signature: AnyPath | None) -> tuple[str, ...]:
    """The bundle that was named, relative to the artifact, where it lies inside of it."""
    if signature is None:
        return ()
    try:
        return (Path(signature).resolve().relative_to(path.resolve()).as_posix(),)
    except ValueError:
        return ()


def _check_files(gathered: Gathered, *, thorough: bool, progress: Progress | None) -> Verification:
    """Read the files for the digests of each valid manifest and for their formats, and conclude.

    Where nobody accepted has signed, the verdict stands and no file is read.
    """
    if gathered.policy.signatures.required and not gathered.valid:
        return conclude(gathered, compared={})
    passes: dict[Serialization, tuple[Listing, Measured]] = {}
    compared: dict[str, tuple[Finding, ...]] = {}
    unsigned: set[str] = set()
    for one in gathered.valid:
        assert one.signed is not None
        listing, measured = _measured(gathered, one.signed.manifest.serialization, passes, thorough, progress)
        resources, renamed = expected_resources(one.signed.manifest.resources, listing)
        result = compare(resources, measured.files, listing, notes=signed_by(one), describe=describe_range)
        compared[one.where] = (*renamed, *result.findings)
        unsigned.update(result.unsigned)
    if not gathered.valid:
        _measured(gathered, Serialization(), passes, thorough, progress)
    first = next(iter(passes.values()))[1]
    return conclude(
        gathered,
        compared=compared,
        unsigned=unsigned,
        files=[file.observed for file in first.files if isinstance(file.observed, FileEvidence)],
        findings=dict.fromkeys(found for _, measured in passes.values() for found in measured.findings),
        checked_bytes=sum(file.size for file in first.files),
    )


def _measured(
    gathered: Gathered,
    serialization: Serialization,
    passes: dict[Serialization, tuple[Listing, Measured]],
    thorough: bool,  # noqa: FBT001
    progress: Progress | None,
) -> tuple[Listing, Measured]:
    """Measure as a manifest says, once for all manifests that say the same; look at formats in the first pass."""
    if serialization in passes:
        return passes[serialization]
    listing = listing_for(gathered, serialization)
    measured = measure(
        listing,
        serialization,
        chunks=thorough and serialization.method == "files",
        observe=format_observer(gathered.policy) if not passes else None,
        progress=progress,
    )
    passes[serialization] = listing, measured
    return passes[serialization]


def listing_for(gathered: Gathered, serialization: Serialization) -> Listing:
    """List the artifact under the exclusions and the symlink policy that a manifest records."""
    first = gathered.manifest
    if first is not None and serialization == first.serialization:
        return gathered.listing
    return list_artifact(
        gathered.path,
        ignore=(*recorded_exclusions(serialization.ignore_paths), *gathered.ignore),
        own=gathered.own,
        allow_symlinks=serialization.allow_symlinks,
    )


def format_observer(policy: Policy) -> Observer:
    """Return what looks at the format of each file while it is open for measuring."""

    def observe(file: OpenFile) -> FileEvidence:
        # A small file is in memory already.
        whole = len(file.head) == file.size
        reader = BytesReader(file.head) if whole else FileReader(file.descriptor, file.size)
        return examine(reader, file.name, policy.formats)

    return observe


def signed_by(one: Candidate) -> tuple[str, ...]:
    """Return the note that says who signed a valid bundle, and when where that is known."""
    assert one.signer is not None
    who = one.signer.identity or one.signer.fingerprint
    when = f", {one.signer.time:%Y-%m-%d}" if one.signer.time is not None else ""
    return (f"signed by {one.signer.name} ({who}){when}",)
