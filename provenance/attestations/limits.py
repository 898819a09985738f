"""Bounds on what is read before anything of it is decoded; each far above what honest signers write."""

from __future__ import annotations

from typing import Final

__all__ = [
    "MAX_BUNDLES",
    "MAX_BUNDLE_BYTES",
    "MAX_BUNDLE_ELEMENTS",
    "MAX_CERTIFICATES",
    "MAX_CERTIFICATE_BYTES",
    "MAX_DEPTH",
    "MAX_HISTORICAL_BYTES",
    "MAX_PAYLOAD_BYTES",
    "MAX_PAYLOAD_ELEMENTS",
    "MAX_SIGNATURE_BYTES",
    "MAX_STORE_BYTES",
]

# A bundle of 20,000 files has some 7 MB. The payload stands in it as base64, which is a third longer.
MAX_BUNDLE_BYTES: Final = 128 * 1024 * 1024
MAX_PAYLOAD_BYTES: Final = 95 * 1024 * 1024

# Nesting of JSON; a bundle with a log entry has 7 levels, an SLSA statement about 12.
MAX_DEPTH: Final = 32

# Members and items of all objects and arrays together: what bounds the memory that decoding takes.
MAX_BUNDLE_ELEMENTS: Final = 50_000
MAX_PAYLOAD_ELEMENTS: Final = 5_000_000

# The largest signature known here is of ML-DSA-87, with 4,627 bytes.
MAX_SIGNATURE_BYTES: Final = 16 * 1024
MAX_CERTIFICATES: Final = 16
MAX_CERTIFICATE_BYTES: Final = 64 * 1024

# Beyond this no fallback to the faulty encoding of release 0.2.0 is tried: its text takes several times the memory.
MAX_HISTORICAL_BYTES: Final = 16 * 1024 * 1024

# Attestation files that are looked at beside one artifact, and their bytes together.
MAX_BUNDLES: Final = 4096
MAX_STORE_BYTES: Final = 256 * 1024 * 1024
