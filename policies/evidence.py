"""Evidence: what was gathered about an artifact, before anybody judges it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from policies.findings import Finding

__all__ = [
    "Evidence",
    "FileEvidence",
    "LineageEnd",
    "LineageStatus",
    "Reference",
    "Signer",
    "SigningMethod",
]

SigningMethod = Literal["key", "certificate", "sigstore"]
LineageStatus = Literal["proven", "asserted", "missing", "unasked"]


class Signer(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whose signature over the artifact was verified.

    ``fingerprint`` is ``SHA256:`` and the hex digest of the verifying key's DER SPKI; ``identity`` and ``issuer``
    are those of the certificate. ``time`` is a trusted time only, with its zone, or None. ``satisfies`` names the
    policy's signers that this one may stand for; trust given on the spot has the name ``given``.
    """

    name: str
    method: SigningMethod
    fingerprint: str
    identity: str = ""
    issuer: str = ""
    time: datetime | None = None
    satisfies: tuple[str, ...] = ()
    bundle: str = ""


class Reference(msgspec.Struct, frozen=True):
    """Another file that a model keeps its weights in: its name beside the model, and the bytes it must have."""

    name: str
    size: int


class FileEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """What reading one file showed: its format by content, its size in bytes, and what was found in it.

    ``refers`` are the files of raw numbers that it says are its own; they have no format by themselves.

    A file whose pickles could not all be read must carry a finding that says so (PKL003): no finding means that
    nothing was found, not that nobody looked.
    """

    path: str
    format: str
    size: int
    findings: tuple[Finding, ...] = ()
    refers: tuple[Reference, ...] = ()


class LineageEnd(msgspec.Struct, frozen=True, kw_only=True):
    """Where one path of a lineage ends: an artifact that is a source, or about which nobody accepted says more.

    ``path`` is its name, ``digest`` its root digest and ``dir_hash`` its dirHash, in hex. ``vouchers`` are all names of
    whoever vouches for it: contributor, signer, identity, key. ``via`` names the artifacts from the one in question to
    this one. ``reason`` tells why it is not proven; where that is because a statement is wrong, ``rule`` is the rule of
    the finding about it.
    """

    path: str
    status: Literal["proven", "asserted", "missing"]
    digest: str = ""
    dir_hash: str = ""
    contributor: str = ""
    licence: str = ""
    vouchers: tuple[str, ...] = ()
    via: tuple[str, ...] = ()
    rule: str = ""
    reason: str = ""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """All that was gathered about one artifact.

    ``digest`` is its root digest in hex. ``findings`` are those about signatures and integrity, as gathered;
    ``unsigned`` are files that no manifest lists, ``uncovered`` those in paths that signatures leave out.
    ``lineage`` is ``unasked`` where nobody looked; ``lineage_ends`` tells more of it, and ``lineage_findings`` are what
    is wrong with statements on the way.
    """

    subject: str
    digest: str = ""
    signers: tuple[Signer, ...] = ()
    findings: tuple[Finding, ...] = ()
    unsigned: tuple[str, ...] = ()
    uncovered: tuple[str, ...] = ()
    files: tuple[FileEvidence, ...] = ()
    lineage: LineageStatus = "unasked"
    lineage_ends: tuple[LineageEnd, ...] = ()
    lineage_findings: tuple[Finding, ...] = ()
    checked_files: int = 0
    checked_bytes: int = 0
