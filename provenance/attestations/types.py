"""All media types and type URIs that this project reads or writes, each written once."""

from __future__ import annotations

from typing import Final

__all__ = [
    "BUNDLE_MEDIA_TYPE",
    "BUNDLE_MEDIA_TYPES",
    "CHAINED_BUNDLE_MEDIA_TYPES",
    "HISTORICAL_PREDICATE_TYPE",
    "OMS_PREDICATE_TYPE",
    "PAYLOAD_TYPE",
    "SIGNATURE_PREDICATE_TYPES",
    "STATEMENT_TYPE",
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
