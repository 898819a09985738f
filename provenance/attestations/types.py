"""All media types and type URIs that this project reads or writes, each written once."""

from __future__ import annotations

from typing import Final

__all__ = [
    "BUILD_TYPE_PREFIX",
    "BUNDLE_MEDIA_TYPE",
    "BUNDLE_MEDIA_TYPES",
    "CHAINED_BUNDLE_MEDIA_TYPES",
    "CONTRIBUTION_PREDICATE_TYPE",
    "HISTORICAL_PREDICATE_TYPE",
    "OMS_PREDICATE_TYPE",
    "PAYLOAD_TYPE",
    "REVOCATION_PREDICATE_TYPE",
    "ROSTER_PREDICATE_TYPE",
    "SIGNATURE_PREDICATE_TYPES",
    "SLSA_PREDICATE_TYPE",
    "STATEMENT_TYPE",
    "build_type",
]

# DSSE and in-toto (https://github.com/in-toto/attestation, spec v1).
PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"

# OpenSSF Model Signing: the current predicate, and the one of release 0.2.0 of the reference tool.
OMS_PREDICATE_TYPE: Final = "https://model_signing/signature/v1.0"
HISTORICAL_PREDICATE_TYPE: Final = "https://model_signing/Digests/v0.1"
SIGNATURE_PREDICATE_TYPES: Final = frozenset({OMS_PREDICATE_TYPE, HISTORICAL_PREDICATE_TYPE})

# Sigstore bundles (sigstore/protobuf-specs, sigstore_bundle.proto): the one written, then all that are read.
BUNDLE_MEDIA_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
# Until 0.2 a Sigstore certificate came in a chain; since 0.3 it stands alone.
CHAINED_BUNDLE_MEDIA_TYPES: Final = frozenset(
    {
        "application/vnd.dev.sigstore.bundle+json;version=0.1",
        "application/vnd.dev.sigstore.bundle+json;version=0.2",
    }
)
BUNDLE_MEDIA_TYPES: Final = CHAINED_BUNDLE_MEDIA_TYPES | {
    BUNDLE_MEDIA_TYPE,
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
}

# Ours; their JSON Schemas are in `schemas/`, beside this file.
_OURS: Final = "https://ml-provenance.readthedocs.io"
CONTRIBUTION_PREDICATE_TYPE: Final = f"{_OURS}/predicates/contribution/v1"
REVOCATION_PREDICATE_TYPE: Final = f"{_OURS}/predicates/revocation/v1"
ROSTER_PREDICATE_TYPE: Final = f"{_OURS}/predicates/roster/v1"

# SLSA provenance (https://slsa.dev/spec/v1.2/build-provenance), with build types of ours.
SLSA_PREDICATE_TYPE: Final = "https://slsa.dev/provenance/v1"
BUILD_TYPE_PREFIX: Final = f"{_OURS}/build-types/"


def build_type(kind: str) -> str:
    """Return the build type of a kind of derivation, such as ``train`` or ``fine-tune``."""
    return f"{BUILD_TYPE_PREFIX}{kind}/v1"
