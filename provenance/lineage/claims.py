"""Claims: of each statement, whatever its predicate, the little that the graph needs of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from provenance.attestations.bundle import CertificateChain, KeyMaterial
from provenance.attestations.contribution import Contribution, read_contribution
from provenance.attestations.oms import SignedManifest, read_manifest
from provenance.attestations.revocation import Revocation, read_revocation
from provenance.attestations.slsa import (
    ResourceDescriptor,
    SlsaProvenance,
    derivation_kind,
    read_provenance,
    role_of,
)
from provenance.attestations.statement import Statement
from provenance.attestations.types import (
    CONTRIBUTION_PREDICATE_TYPE,
    REVOCATION_PREDICATE_TYPE,
    SIGNATURE_PREDICATE_TYPES,
    SLSA_PREDICATE_TYPE,
)
from provenance.lineage.references import Reference, reference_to
from provenance.signing.statements import UnverifiedStatement

__all__ = [
    "BROKEN",
    "CONTRIBUTION",
    "FOREIGN_BUILD",
    "REVOCATION",
    "SIGNATURE",
    "UNSIGNED",
    "Claim",
    "Input",
    "read_claim",
]

SIGNATURE: Final = "signature"
CONTRIBUTION: Final = "contribution"
REVOCATION: Final = "revocation"
# A build type of somebody else; those of ours go by their kinds.
FOREIGN_BUILD: Final = "build"
# What nobody signed: the notes of other tools.
UNSIGNED: Final = "unsigned"
# A bundle that cannot be read.
BROKEN: Final = "broken"

# Digests of the commits of code: no artifact, so nothing to follow.
_CODE_DIGESTS: Final = frozenset({"gitCommit", "gitTree", "gitTag", "sha1"})


class Input(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What something was made from, and the role that it had.

    ``taken``: how many records of it are in the output, -1 where the statement does not count.
    """

    reference: Reference
    role: str = ""
    uri: str = ""
    taken: int = -1


class Claim(msgspec.Struct, frozen=True, kw_only=True, array_like=True, omit_defaults=True, gc=False):
    """What one statement says; whether it is to be believed depends on ``signer``.

    ``statement`` is the SHA-256 of the payload. ``signer`` is the fingerprint of the known key that signed it, ""
    where none of them did; ``claimed_signer`` that of the known key that it names and that did not sign it.
    ``material`` tells what verifies it: "key", "certificate" or "sigstore". ``round`` is ``TASK@N``. ``created`` is
    when the signer says it signed, which proves no time. ``problem`` is why it cannot be read.
    """

    where: str
    kind: str
    statement: str = ""
    subjects: tuple[Reference, ...] = ()
    inputs: Sequence[Input] = ()
    signer: str = ""
    claimed_signer: str = ""
    hint: str = ""
    material: str = "key"
    contributor: str = ""
    licence: str = ""
    round: str = ""
    created: datetime | None = None
    records: int = -1
    unknown_records: int = -1
    problem: str = ""
    problem_rule: str = ""


def read_claim(unverified: UnverifiedStatement) -> Claim | None:
    """Read what a statement says, None where it says nothing of lineage; raises ``Malformed`` or ``Unreadable``."""
    statement = unverified.statement
    told: dict[str, Any]
    if statement.predicate_type == SLSA_PREDICATE_TYPE:
        found = read_provenance(statement)
        ours = derivation_kind(found) is not None
        told = {"subjects": _subjects(statement, ours=ours), **_derivation(found, ours=ours)}
    elif statement.predicate_type == CONTRIBUTION_PREDICATE_TYPE:
        told = {"subjects": _subjects(statement), **_contribution(read_contribution(statement))}
    elif statement.predicate_type == REVOCATION_PREDICATE_TYPE:
        told = {"subjects": _subjects(statement), **_revocation(read_revocation(statement))}
    elif statement.predicate_type in SIGNATURE_PREDICATE_TYPES:
        signed = read_manifest(unverified.bundle.payload)
        told = {"kind": SIGNATURE, "subjects": (_signed(signed),)}
    else:
        return None
    return Claim(where=unverified.where, statement=unverified.digest, **_material(unverified), **told)


def _subjects(statement: Statement, *, ours: bool = True) -> tuple[Reference, ...]:
    return tuple(reference_to(each, ours=ours) for each in statement.subject)


def _material(unverified: UnverifiedStatement) -> dict[str, Any]:
    material = unverified.bundle.material
    if isinstance(material, KeyMaterial):
        return {"hint": material.hint.lower()[:128]}
    return {"material": "certificate" if isinstance(material, CertificateChain) else "sigstore"}


def _derivation(found: SlsaProvenance, *, ours: bool) -> dict[str, Any]:
    build = found.build_definition
    counts = build.internal_parameters.get("records")
    counts = counts if isinstance(counts, dict) else {}
    dependencies, taken = build.resolved_dependencies, counts.get("inputs")
    if not isinstance(taken, list) or len(taken) != len(dependencies):
        taken = [None] * len(dependencies)
    return {
        "kind": derivation_kind(found) or FOREIGN_BUILD,
        "inputs": tuple(
            Input(reference_to(each, ours=ours), role_of(each), each.uri, _taken(count))
            for each, count in zip(dependencies, taken, strict=True)
            if not _is_code(each)
        ),
        "round": _round(build.external_parameters),
        "created": found.run_details.metadata.finished_on,
        "records": _count(counts.get("count")),
        "unknown_records": _count(counts.get("unknown")),
    }


def _round(parameters: Mapping[str, Any]) -> str:
    """The round that an aggregate is of, as ``TASK@N``."""
    task, number = parameters.get("task"), parameters.get("round")
    return f"{task}@{number}" if isinstance(task, str) and type(number) is int else ""


def _is_code(descriptor: ResourceDescriptor) -> bool:
    return bool(descriptor.digest) and _CODE_DIGESTS.issuperset(descriptor.digest)


def _taken(counted: object) -> int:
    """The records of one input in the output, unchanged or edited."""
    if not isinstance(counted, dict):
        return -1
    parts = [_count(counted.get(name, 0)) for name in ("unchanged", "edited")]
    return -1 if -1 in parts else sum(parts)


def _count(value: object) -> int:
    return value if type(value) is int and 0 <= value < 2**62 else -1


def _contribution(found: Contribution) -> dict[str, Any]:
    told: dict[str, Any] = {
        "kind": CONTRIBUTION,
        "contributor": found.contributor,
        "licence": found.licence or "",
        "created": found.created_at,
    }
    if found.update is not None:
        base = Reference(sha256=found.update.base.sha256, name="the base model")
        return {
            **told,
            "inputs": (Input(base, "base"),),
            "round": f"{found.update.task}@{found.update.round}",
        }
    return {**told, "records": found.records.count if found.records is not None else -1}


def _revocation(found: Revocation) -> dict[str, Any]:
    return {"kind": REVOCATION, "contributor": found.contributor or "", "created": found.created_at}


def _signed(signed: SignedManifest) -> Reference:
    """What a model signature covers; where that is one file, its plain digest is known too."""
    resources, name = signed.manifest.resources, signed.subject_name
    only = resources[0] if len(resources) == 1 else None
    if only is not None and only.name in {name, "."} and only.algorithm == "sha256" and only.end is None:
        file = only.digest.hex()
    else:
        file = ""
    return Reference(signed.root_digest.hex(), signed.dir_hash or "", file, name=name or "artifact")
