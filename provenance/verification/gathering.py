"""What is known of an artifact before any of its files is read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from policies import Finding, Policy, finding, tolerating_unsigned
from provenance.artifacts.listing import Listing, list_artifact, list_one
from provenance.artifacts.manifest import Manifest, Serialization
from provenance.artifacts.names import ignore_problem, recorded_exclusions
from provenance.attestations.discovery import Found, find_bundles
from provenance.errors import ProvenanceError, UsageError
from provenance.signing.candidates import Candidate, open_candidates
from provenance.signing.trust import Trust, trust_from
from provenance.verification.options import AnyPath, paths_given, settle_policy

__all__ = ["Gathered", "gather", "listing_for"]


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
        stores=tuple(map(Path, paths_given(store))),
        roster=None if roster is None else Path(roster),
        roster_keys=tuple(map(Path, paths_given(roster_keys))),
        own=own,
        ignore=ignore,
    )


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
