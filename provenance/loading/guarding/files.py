"""Judging a file before it is loaded: the signature by the policy's signers, and the content by ``scan``'s readers."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from policies import FileEvidence, Finding, Policy, finding, outcome
from policies.decisions import decide
from policies.evidence import Evidence
from provenance.artifacts.listing import FileEntry
from provenance.artifacts.names import ATTESTATION_DIRECTORY, DEFAULT_SIGNATURE
from provenance.errors import Refused, Undecided
from provenance.loading.guarding.active import Guarding, obeyed
from provenance.loading.guarding.copies import Copy
from provenance.loading.guarding.loader_table import Loader
from provenance.loading.guarding.records import Load
from provenance.loading.guarding.running import unwatched
from provenance.loading.guarding.verdicts import require
from provenance.loading.proving import Room, prove
from provenance.scanning.readers import BytesReader, MemoryReader
from provenance.scanning.scan import examine
from provenance.verification import Verification, gather

__all__ = ["judge_bytes", "judge_file"]

_ANCESTORS = 8


@unwatched()
def judge_file(path: str, copy: Copy, loader: Loader, *, sealed: bool = True) -> None:
    """Judge the file at ``path`` by every guard that is obeyed here, and make ``copy`` of it, which is what is judged.

    Raises ``Refused`` or ``Undecided``, and ``OSError`` where the file cannot be read.
    """
    for guard in obeyed():
        verification = _signed(guard, path, copy) if guard.terms.policy.signatures.required else None
        _copy_from(path, copy)
        assert copy.memory is not None
        name = os.path.basename(path)
        content = examine(MemoryReader(memoryview(copy.memory)), name, guard.terms.policy.formats)
        findings = [*_findings(guard.terms.policy, content, verification), *_read_otherwise(loader, content)]
        load = Load(
            loader=loader.name,
            path=path,
            format=content.format,
            size=content.size,
            decision=outcome(findings),
            policy=guard.terms.policy.name,
            digest=verification.digest if verification else "",
            signers=tuple(signer.fingerprint for signer in verification.signers) if verification else (),
            findings=tuple(findings),
            sealed=sealed,
        )
        require(guard, load, verification)


@unwatched()
def judge_bytes(data: bytes, loader: Loader, path: str = "", *, signed: bool) -> None:
    """Judge bytes that are in memory already; ``signed`` where the policy's signature is asked for, which none has."""
    for guard in obeyed():
        policy = guard.terms.policy
        content = examine(BytesReader(data), path, policy.formats)
        findings = [*_findings(policy, content, None), *_read_otherwise(loader, content)]
        if signed and policy.signatures.required:
            findings.append(finding("GRD007", "bytes in memory bear no signature", path=path))
        decision = outcome(findings)
        load = Load(
            loader=loader.name,
            path=path,
            format=content.format,
            size=len(data),
            decision=decision,
            policy=policy.name,
            findings=tuple(findings),
        )
        if decision != "accepted" or path:
            require(guard, load)


def _findings(policy: Policy, content: FileEvidence, verification: Verification | None) -> list[Finding]:
    """What the verification found, and what the content shows where it did not come to look at it."""
    if verification is not None and verification.files:
        return list(verification.findings)
    verdict = decide(
        _content_only(policy), Evidence(subject=content.path, files=(content,)), now=datetime.now(UTC)
    )
    return [*(verification.findings if verification else ()), *verdict.findings]


def _read_otherwise(loader: Loader, content: FileEvidence) -> list[Finding]:
    """What speaks against giving a file to a loader of other formats: it would be another thing to it."""
    if not loader.formats or content.format in (*loader.formats, "unknown"):
        return []
    said = f"the content is `{content.format}`, which {loader.name} does not read"
    return [finding("GRD009", said, path=content.path)]


def _content_only(policy: Policy) -> Policy:
    from policies import SignaturePolicy
    from policies.policy import LineagePolicy

    signatures = SignaturePolicy(required=False, threshold=0, unsigned="warn")
    return msgspec.structs.replace(policy, signatures=signatures, signers=(), lineage=LineagePolicy())


def _copy_from(path: str, copy: Copy) -> None:
    if copy.memory is None:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Refused(f"{path} is no regular file", code="ART002")
            copy.make(descriptor)
        finally:
            os.close(descriptor)


def _signed(guard: Guarding, path: str, copy: Copy) -> Verification:
    """Verify the file by a bundle of its own or by that of a directory it lies in, and copy what was proven."""
    terms = guard.terms
    root, name = _artifact_of(path)
    gathered = gather(
        root,
        policy=terms.policy,
        trusted_root=terms.trusted_root or None,
        store=terms.store,
        only=name,
    )

    def keep(_entry: FileEntry, _found: str, source: int) -> Room:
        return Room(copy.make(source), filled=True)

    try:
        verification, files = prove(gathered, keep, only=name)
    except (Refused, Undecided) as error:
        if isinstance(error.judgement, Verification):
            return error.judgement
        raise
    if verification.decision == "accepted" and not files:
        raise Undecided(f"{path} is not what was proven", code="ART009", judgement=verification)
    return verification


def _artifact_of(path: str) -> tuple[Path, str]:
    """The artifact whose signature covers a file: the file itself, or the nearest directory above that is signed.

    With the file's name in it, "" for the file itself.
    """
    file = Path(os.path.abspath(path))
    beside = file.with_name(file.name + ".sigstore.json")
    if os.path.lexists(beside):
        return file, ""
    for above in list(file.parents)[:_ANCESTORS]:
        if os.path.lexists(above / DEFAULT_SIGNATURE) or os.path.lexists(above / ATTESTATION_DIRECTORY):
            alone = above == file.parent and not os.path.lexists(above / DEFAULT_SIGNATURE)
            return (file, "") if alone else (above, file.relative_to(above).as_posix())
    return file, ""
