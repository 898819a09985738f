"""Sigstore bundles that hold a DSSE envelope: one signature, and one kind of material to verify it with.

Source: sigstore/protobuf-specs, sigstore_bundle.proto (versions 0.1 to 0.3), and OMS v1.0, section 4.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import msgspec

from provenance.attestations.dsse import (
    Envelope,
    Signature,
    WireEnvelope,
    decode_base64,
    open_envelope,
    wire_envelope,
)
from provenance.attestations.limits import (
    MAX_BUNDLE_BYTES,
    MAX_BUNDLE_ELEMENTS,
    MAX_CERTIFICATE_BYTES,
    MAX_CERTIFICATES,
)
from provenance.attestations.strict_json import decode
from provenance.attestations.types import (
    BUNDLE_MEDIA_TYPE,
    BUNDLE_MEDIA_TYPES,
    CHAINED_BUNDLE_MEDIA_TYPES,
    PAYLOAD_TYPE,
)
from provenance.errors import Malformed

__all__ = [
    "Bundle",
    "CertificateChain",
    "KeyMaterial",
    "Material",
    "SigstoreMaterial",
    "encode_bundle",
    "parse_bundle",
]


class KeyMaterial(msgspec.Struct, frozen=True):
    """A managed key: a hint which one it is, and, in bundles before 1.1, the key itself (never trusted)."""

    hint: str = ""
    raw_bytes: bytes = b""


class CertificateChain(msgspec.Struct, frozen=True):
    """DER certificates of a private PKI, the signer's first."""

    certificates: tuple[bytes, ...]


class SigstoreMaterial(msgspec.Struct, frozen=True):
    """A short-lived DER certificate; its log entries and timestamps stay in the bundle's raw bytes."""

    certificate: bytes


Material = KeyMaterial | CertificateChain | SigstoreMaterial


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """A decoded bundle; nothing in it has been verified. ``raw`` is the JSON that it was read from, if any."""

    media_type: str = BUNDLE_MEDIA_TYPE
    material: Material
    payload: bytes
    payload_type: str = PAYLOAD_TYPE
    signature: bytes
    raw: bytes = b""


class _WireBytes(msgspec.Struct, frozen=True, rename="camel"):
    raw_bytes: str


class _WireKey(msgspec.Struct, frozen=True, rename="camel"):
    hint: str | None = None
    raw_bytes: str | None = None


class _WireChain(msgspec.Struct, frozen=True):
    certificates: tuple[_WireBytes, ...]


class _WireMaterial(msgspec.Struct, frozen=True, rename="camel"):
    public_key: _WireKey | None = None
    x509_certificate_chain: _WireChain | None = None
    certificate: _WireBytes | None = None
    tlog_entries: tuple[dict[str, Any], ...] | None = None
    timestamp_verification_data: dict[str, Any] | None = None


class _WireBundle(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    media_type: str
    verification_material: _WireMaterial
    dsse_envelope: WireEnvelope


def parse_bundle(data: bytes) -> Bundle:
    """Read a bundle.

    Raises ``Malformed`` (SIG008) unless it has a known media type, one envelope with an in-toto payload and one
    signature, and one kind of verification material.
    """
    wire = decode(
        data, _WireBundle, what="the bundle", max_bytes=MAX_BUNDLE_BYTES, max_elements=MAX_BUNDLE_ELEMENTS
    )
    if wire.media_type not in BUNDLE_MEDIA_TYPES:
        raise Malformed(f"the bundle has the unknown media type {wire.media_type[:80]!r}", code="SIG008")
    if wire.dsse_envelope.payload_type != PAYLOAD_TYPE:
        kind = wire.dsse_envelope.payload_type[:80]
        raise Malformed(f"the bundle's payload is not an in-toto statement but {kind!r}", code="SIG008")
    if len(wire.dsse_envelope.signatures) != 1:
        count = len(wire.dsse_envelope.signatures)
        raise Malformed(f"the bundle has {count} signatures where one is allowed", code="SIG008")
    material = _material(wire.verification_material, wire.media_type)
    envelope = open_envelope(wire.dsse_envelope)
    return Bundle(
        media_type=wire.media_type,
        material=material,
        payload=envelope.payload,
        signature=envelope.signatures[0].sig,
        raw=data,
    )


def encode_bundle(bundle: Bundle) -> bytes:
    """Write a bundle as compact JSON; a Sigstore bundle is written as Sigstore's client made it."""
    if isinstance(bundle.material, SigstoreMaterial):
        return bundle.raw
    signature = Signature(bundle.signature)
    envelope = Envelope(payload=bundle.payload, payload_type=bundle.payload_type, signatures=(signature,))
    return msgspec.json.encode(
        {
            "mediaType": bundle.media_type,
            "verificationMaterial": _written(bundle.material),
            "dsseEnvelope": wire_envelope(envelope),
        }
    )


def _written(material: KeyMaterial | CertificateChain) -> dict[str, Any]:
    if isinstance(material, KeyMaterial):
        return {"publicKey": {"hint": material.hint}}
    certificates = [{"rawBytes": b64encode(certificate).decode()} for certificate in material.certificates]
    return {"x509CertificateChain": {"certificates": certificates}}


def _material(wire: _WireMaterial, media_type: str) -> Material:
    kinds = (wire.public_key, wire.x509_certificate_chain, wire.certificate)
    if sum(kind is not None for kind in kinds) != 1:
        raise Malformed("the bundle must hold exactly one kind of verification material", code="SIG008")
    if wire.public_key is not None:
        return _key(wire.public_key)
    if wire.x509_certificate_chain is not None:
        certificates = _certificates(wire.x509_certificate_chain.certificates)
        logged = bool(wire.tlog_entries) and media_type in CHAINED_BUNDLE_MEDIA_TYPES
        return SigstoreMaterial(certificates[0]) if logged else CertificateChain(certificates)
    assert wire.certificate is not None
    if not wire.tlog_entries:
        raise Malformed(
            "the bundle has a Sigstore certificate and no entry of a transparency log", code="SIG008"
        )
    return SigstoreMaterial(_certificates((wire.certificate,))[0])


def _key(wire: _WireKey) -> KeyMaterial:
    """Read what a bundle says of its key: a hint, or in historical bundles the key itself; neither is trusted."""
    if wire.hint is None and wire.raw_bytes is None:
        raise Malformed("the bundle's public key has neither a hint nor bytes", code="SIG008")
    raw = (
        decode_base64(wire.raw_bytes, "the public key", max_bytes=MAX_CERTIFICATE_BYTES)
        if wire.raw_bytes
        else b""
    )
    return KeyMaterial(wire.hint or "", raw)


def _certificates(wire: tuple[_WireBytes, ...]) -> tuple[bytes, ...]:
    if not 0 < len(wire) <= MAX_CERTIFICATES:
        raise Malformed(
            f"the bundle has {len(wire)} certificates; 1 to {MAX_CERTIFICATES} are allowed", code="SIG008"
        )
    return tuple(
        decode_base64(item.raw_bytes, "a certificate", max_bytes=MAX_CERTIFICATE_BYTES) for item in wire
    )
