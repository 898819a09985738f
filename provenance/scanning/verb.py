"""The verb ``scan``: what lies in these files, judged by content alone; nobody is asked who signed them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from policies import Policy, SignaturePolicy
from policies.decisions import decide
from policies.evidence import Evidence, FileEvidence
from policies.findings import DecisionName, Finding, finding, outcome
from policies.policy import FormatPolicy, LineagePolicy
from provenance.artifacts.listing import Listing, list_artifact
from provenance.artifacts.opening import open_beneath, opened_root
from provenance.errors import Unreadable
from provenance.policy_files import load_policy
from provenance.scanning.belonging import belonging
from provenance.scanning.paths import expand
from provenance.scanning.readers import BytesReader, FileReader
from provenance.scanning.scan import examine, scan_member

__all__ = ["Scan", "ScannedFile", "content_policy", "scan", "scan_bytes"]

_EXIT_STATUS: dict[DecisionName, int] = {"accepted": 0, "refused": 1, "undecided": 3}


class ScannedFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file: its path as given (or relative to the directory given), format by content, bytes, and verdict."""

    path: str
    format: str
    size: int
    decision: DecisionName
    findings: tuple[Finding, ...] = ()


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict over all files that were scanned; ``findings`` are those of the files and of the listing."""

    decision: DecisionName
    findings: tuple[Finding, ...] = ()
    files: tuple[ScannedFile, ...] = ()

    @property
    def exit_status(self) -> int:
        """The command's exit status: 0 accepted, 1 refused, 3 undecided."""
        return _EXIT_STATUS[self.decision]


def scan(
    path: str | Path | Iterable[str | Path],
    *,
    policy: str | Path | Policy = "harmless",
    now: datetime | None = None,
    contents: Mapping[str, bytes] | None = None,
) -> Scan:
    """Scan files and directories without importing or running anything of theirs.

    A path that does not exist may be a pattern (`*`, `?`, `[…]`, and `**` for any directories). ``contents`` are files
    in memory, by names that stand among the paths. ``policy`` is a built-in's name, a policy file or a ``Policy``; what
    it says of signatures and lineage is left out. A path that is absent leaves the scan undecided (ART010). Raises
    UsageError for a policy that is unknown or broken.
    """
    rules = content_policy(policy)
    paths = expand([path] if isinstance(path, str | Path) else path)
    evidence: list[FileEvidence] = []
    gathered: list[Finding] = []
    for one in paths:
        if contents and one in contents:
            evidence.append(examine(BytesReader(contents[one]), one, rules.formats))
            continue
        listing = list_artifact(Path(one))
        gathered += listing.findings
        single, several = listing.single, len(paths) > 1
        evidence += [
            _under(file, one, several=several, single=single)
            for file in belonging(_scan_listing(listing, rules.formats))
        ]
    return _judge(rules, evidence, gathered, now or datetime.now(UTC))


def scan_bytes(data: bytes, name: str = "", *, policy: str | Path | Policy = "harmless") -> Scan:
    """Scan bytes in memory as if they were a file called ``name``."""
    rules = content_policy(policy)
    return _judge(rules, [scan_member(BytesReader(data), name, rules.formats)], [], datetime.now(UTC))


def content_policy(policy: str | Path | Policy) -> Policy:
    """The policy, without what it asks of signatures and lineage: those are not what a scan answers.

    Raises UsageError (POL005) where there is no such policy or it is broken.
    """
    content_only = SignaturePolicy(required=False, threshold=0, unsigned="warn")
    return msgspec.structs.replace(
        load_policy(policy), signatures=content_only, signers=(), lineage=LineagePolicy()
    )


def _scan_listing(listing: Listing, formats: FormatPolicy) -> Iterator[FileEvidence]:
    """Scan the files of a listing, also the lone ones in paths that signatures leave out."""
    if not listing.files and not listing.uncovered:
        return
    with opened_root(listing.root) as root:
        names = [entry.name for entry in listing.files]
        names += [name for name in listing.uncovered if os.path.isfile(listing.root / name)]
        for name in sorted(names):
            yield _scan_file(root, name, formats, allow_symlinks=listing.allow_symlinks)


def _scan_file(root: int, name: str, formats: FormatPolicy, *, allow_symlinks: bool) -> FileEvidence:
    """Open and scan one file; what cannot be read is a finding of its own."""
    try:
        descriptor = open_beneath(root, name, allow_symlinks=allow_symlinks)
    except OSError as error:
        unread = finding("ART008", f"cannot be opened: {error.strerror or error}", path=name)
        return FileEvidence(path=name, format="unknown", size=0, findings=(unread,))
    try:
        size = os.fstat(descriptor).st_size
        return scan_member(FileReader(descriptor, size), name, formats)
    except Unreadable as error:
        unread = finding("ART008", error.message, path=name)
        return FileEvidence(path=name, format="unknown", size=size, findings=(unread,))
    finally:
        os.close(descriptor)


def _under(file: FileEvidence, given: str, *, several: bool, single: bool) -> FileEvidence:
    """The file with the path that the caller knows it by."""
    path = given if single else os.path.join(given, file.path) if several else file.path
    findings = tuple(
        msgspec.structs.replace(found, path=path if found.path in ("", file.path) else found.path)
        for found in file.findings
    )
    return msgspec.structs.replace(file, path=path, findings=findings)


def _judge(policy: Policy, files: list[FileEvidence], gathered: list[Finding], now: datetime) -> Scan:
    """Judge each file by itself, then all of it together."""
    judged = []
    for file in files:
        verdict = decide(policy, Evidence(subject=file.path, files=(file,)), now=now)
        judged.append(
            ScannedFile(
                path=file.path,
                format=file.format,
                size=file.size,
                decision=verdict.decision,
                findings=verdict.findings,
            )
        )
    # What the policy says of itself (POL001) comes with every file; it is said once.
    findings = list(dict.fromkeys([*gathered, *(found for file in judged for found in file.findings)]))
    return Scan(decision=outcome(findings), findings=tuple(findings), files=tuple(judged))
