"""SLSA provenance v1: how a subject was made, from which artifacts, with which parameters, by whom.

Source: https://slsa.dev/spec/v1.2/build-provenance. The build types of ours use its plain fields: inputs are
``resolvedDependencies`` (the role of each in its annotations), what the user chose is ``externalParameters``, code and
environment are ``internalParameters``, what came out beside the subject is ``byproducts``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal, get_args

import msgspec

from provenance.attestations.fields import Time, checked, predicate_tree
from provenance.attestations.statement import Statement, Subject
from provenance.attestations.strict_json import convert
from provenance.attestations.types import BUILD_TYPE_PREFIX, SLSA_PREDICATE_TYPE, build_type
from provenance.errors import Malformed

__all__ = [
    "BUILDER_ID",
    "DERIVATION_KINDS",
    "BuildDefinition",
    "Builder",
    "DerivationKind",
    "Metadata",
    "ResourceDescriptor",
    "RunDetails",
    "SlsaProvenance",
    "derivation",
    "derivation_kind",
    "input_descriptor",
    "provenance_statement",
    "read_provenance",
    "role_of",
]

DerivationKind = Literal["train", "fine-tune", "merge", "curate", "convert", "aggregate"]
DERIVATION_KINDS: Final[tuple[DerivationKind, ...]] = get_args(DerivationKind)
# Who "builds" is this tool at the hands of whoever signs; no platform vouches for it (SLSA Build level 1).
BUILDER_ID: Final = f"{BUILD_TYPE_PREFIX.removesuffix('build-types/')}builder/v1"

_MAX_DEPENDENCIES: Final = 1_000_000
_MAX_MEMBERS: Final = 10_000

_Uri = Annotated[str, msgspec.Meta(max_length=4096)]
_Name = Annotated[str, msgspec.Meta(max_length=4096)]
_Algorithm = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,32}\Z")]
_Hexadecimal = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z:_+/=-]{1,256}\Z")]
_Parameters = Annotated[dict[str, Any], msgspec.Meta(max_length=_MAX_MEMBERS)]


class ResourceDescriptor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """An artifact by its digests (algorithm to hex); its name and URI only tell people which one is meant.

    Source: in-toto/attestation, spec/v1/resource_descriptor.md.
    """

    name: _Name = ""
    uri: _Uri = ""
    digest: dict[_Algorithm, _Hexadecimal] = {}
    download_location: _Uri = ""
    media_type: _Uri = ""
    annotations: _Parameters | None = None


class BuildDefinition(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What went in: the kind of build, what the user chose, what the builder chose, and every input by digest."""

    build_type: _Uri
    external_parameters: _Parameters
    internal_parameters: _Parameters = {}
    resolved_dependencies: Annotated[
        tuple[ResourceDescriptor, ...], msgspec.Meta(max_length=_MAX_DEPENDENCIES)
    ] = ()


class Builder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Who ran it, and the versions of what ran."""

    id: _Uri
    version: dict[str, str] = {}
    builder_dependencies: tuple[ResourceDescriptor, ...] = ()


class Metadata(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Which run it was, and its times: claims of the signer that prove no time."""

    invocation_id: _Name = ""
    started_on: Time | None = None
    finished_on: Time | None = None


class RunDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How it ran, and what came out beside the subject."""

    builder: Builder
    metadata: Metadata = Metadata()
    byproducts: Annotated[tuple[ResourceDescriptor, ...], msgspec.Meta(max_length=_MAX_MEMBERS)] = ()


class SlsaProvenance(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The predicate."""

    build_definition: BuildDefinition
    run_details: RunDetails


def input_descriptor(subject: Subject, role: str, *, uri: str = "") -> ResourceDescriptor:
    """Describe an artifact as an input: its subject, with the role that it had among the annotations."""
    return ResourceDescriptor(
        name=subject.name,
        uri=uri,
        digest=subject.digest,
        annotations={"role": role, **(subject.annotations or {})},
    )


def role_of(descriptor: ResourceDescriptor) -> str:
    """Return the role that an input had, "" where it is not told."""
    role = (descriptor.annotations or {}).get("role", "")
    return role if isinstance(role, str) else ""


def derivation(  # noqa: PLR0913 (the members of the predicate)
    kind: DerivationKind,
    *,
    inputs: Iterable[ResourceDescriptor],
    parameters: Mapping[str, Any],
    internal: Mapping[str, Any] | None = None,
    byproducts: Iterable[ResourceDescriptor] = (),
    versions: Mapping[str, str] | None = None,
    started: datetime | None = None,
    finished: datetime | None = None,
) -> SlsaProvenance:
    """Put together the predicate of a derivation of ours; ``versions`` are those of the tools that ran."""
    return SlsaProvenance(
        build_definition=BuildDefinition(
            build_type=build_type(kind),
            external_parameters=dict(parameters),
            internal_parameters=dict(internal or {}),
            resolved_dependencies=tuple(inputs),
        ),
        run_details=RunDetails(
            builder=Builder(id=BUILDER_ID, version=dict(versions or {})),
            metadata=Metadata(started_on=started, finished_on=finished),
            byproducts=tuple(byproducts),
        ),
    )


def derivation_kind(provenance: SlsaProvenance) -> DerivationKind | None:
    """Return which of our kinds of derivation a build type is, None for a build type of others."""
    named = provenance.build_definition.build_type
    return next((kind for kind in DERIVATION_KINDS if named == build_type(kind)), None)


def provenance_statement(subjects: Iterable[Subject], provenance: SlsaProvenance) -> Statement:
    """Make the statement to sign; raises ``UsageError`` where a member is beyond its bounds."""
    return Statement(
        subject=tuple(subjects),
        predicate_type=SLSA_PREDICATE_TYPE,
        predicate=predicate_tree(checked(provenance)),
    )


def read_provenance(statement: Statement) -> SlsaProvenance:
    """Read the predicate of a provenance statement; members that are not known are ignored, as in-toto demands.

    Raises ``Malformed`` (SIG008) for another statement, a member beyond its bounds, and, in a build type of ours, an
    input without a SHA-256 or a role.
    """
    if statement.predicate_type != SLSA_PREDICATE_TYPE:
        message = f"the statement is no {SLSA_PREDICATE_TYPE} but {statement.predicate_type[:200]!r}"
        raise Malformed(message, code="SIG008")
    found = convert(statement.predicate, SlsaProvenance, what="the predicate")
    if derivation_kind(found) is not None:
        for each in found.build_definition.resolved_dependencies:
            if not (_is_sha256(each.digest.get("sha256", "")) and role_of(each)):
                raise Malformed(f"the input {each.name[:200]!r} lacks its SHA-256 or its role", code="SIG008")
    return found


def _is_sha256(text: str) -> bool:
    return len(text) == 64 and set("0123456789abcdef").issuperset(text)
