"""The verb ``verify``: each file is read once, for the digests that the signed manifests name and for its format."""

from __future__ import annotations

from typing import Unpack

from policies import FileEvidence, Finding, Policy
from provenance.artifacts.comparing import compare
from provenance.artifacts.listing import Listing
from provenance.artifacts.manifest import Serialization
from provenance.artifacts.measuring import Measured, Observer, OpenFile, measure
from provenance.artifacts.reading import Progress
from provenance.scanning.locating import describe_range
from provenance.scanning.readers import BytesReader, FileReader
from provenance.scanning.scan import examine
from provenance.signing.candidates import expected_resources
from provenance.verification.concluding import conclude, signed_by
from provenance.verification.gathering import Gathered, gather, listing_for
from provenance.verification.options import AnyPath, VerifyOptions
from provenance.verification.verdict import Verification

__all__ = ["format_observer", "verify"]


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


def format_observer(policy: Policy) -> Observer:
    """Return what looks at the format of each file while it is open for measuring."""

    def observe(file: OpenFile) -> FileEvidence:
        # A small file is in memory already.
        whole = len(file.head) == file.size
        reader = BytesReader(file.head) if whole else FileReader(file.descriptor, file.size)
        return examine(reader, file.name, policy.formats)

    return observe
