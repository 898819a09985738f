"""DSSE envelopes: a payload, its type, and signatures over both.

Source: https://github.com/secure-systems-lab/dsse, protocol.md and envelope.md, version 1.
"""

from __future__ import annotations

import binascii
from base64 import b64encode

import msgspec

from provenance.attestations.limits import (
    MAX_BUNDLE_BYTES,
    MAX_BUNDLE_ELEMENTS,
    MAX_PAYLOAD_BYTES,
    MAX_SIGNATURE_BYTES,
)
from provenance.attestations.strict_json import decode
from provenance.errors import Malformed

__all__ = [
    "Envelope",
    "Signature",
    "WireEnvelope",
    "decode_base64",
    "encode_envelope",
    "open_envelope",
    "pae",
    "pae_compat",
    "parse_envelope",
    "wire_envelope",
]


class Signature(msgspec.Struct, frozen=True):
    """One signature of an envelope; the key's id is whatever the signer wrote there and proves nothing."""

    sig: bytes
    keyid: str = ""


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """A decoded envelope."""

    payload: bytes
    payload_type: str
    signatures: tuple[Signature, ...]


class WireSignature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signature as JSON has it; ``keyid`` may be absent, empty or null."""

    sig: str
    keyid: str | None = None


class WireEnvelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """An envelope as JSON has it, with base64 in it."""

    payload: str
    payload_type: str
    signatures: tuple[WireSignature, ...]


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the pre-authentication encoding, which is what a signer signs."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def pae_compat(payload_type: str, payload: bytes) -> bytes:
    """Return what release 0.2.0 of the reference tool signed: Python's notation of the payload, in capitals."""
    return f"DSSEV1 {len(payload_type)} {payload_type} {len(payload)} {payload!r}".encode()


def parse_envelope(data: bytes) -> Envelope:
    """Read a DSSE envelope from JSON; raises ``Malformed`` (SIG008)."""
    wire = decode(
        data, WireEnvelope, what="the envelope", max_bytes=MAX_BUNDLE_BYTES, max_elements=MAX_BUNDLE_ELEMENTS
    )
    return open_envelope(wire)


def open_envelope(wire: WireEnvelope) -> Envelope:
    """Decode the base64 of an envelope; raises ``Malformed`` (SIG008) where it is empty or not canonical."""
    payload = decode_base64(wire.payload, "the payload", max_bytes=MAX_PAYLOAD_BYTES)
    signatures = tuple(
        Signature(decode_base64(item.sig, "the signature", max_bytes=MAX_SIGNATURE_BYTES), item.keyid or "")
        for item in wire.signatures
    )
    return Envelope(payload=payload, payload_type=wire.payload_type, signatures=signatures)


def wire_envelope(envelope: Envelope) -> WireEnvelope:
    """Encode payload and signatures in base64."""
    signatures = tuple(
        WireSignature(b64encode(item.sig).decode(), item.keyid) for item in envelope.signatures
    )
    return WireEnvelope(b64encode(envelope.payload).decode(), envelope.payload_type, signatures)


def encode_envelope(envelope: Envelope) -> bytes:
    """Write an envelope as compact JSON."""
    return msgspec.json.encode(wire_envelope(envelope))


def decode_base64(text: str, what: str, *, max_bytes: int) -> bytes:
    """Decode standard base64, in the one spelling that encoding its value yields (RFC 4648, section 3.5).

    Raises ``Malformed`` (SIG008) for any other text, for none, and for more than ``max_bytes``.
    """
    if len(text) > max_bytes * 4 // 3 + 4:
        raise Malformed(f"{what} has more than {max_bytes:,} bytes", code="SIG008")
    try:
        value = binascii.a2b_base64(text, strict_mode=True)
    except ValueError:  # binascii.Error, or text that is not ASCII
        value = b""
    # Strict decoding leaves one freedom: the unused bits of the last quantum.
    if (
        not value
        or b64encode(value[-3:] if len(value) % 3 == 0 else value[-(len(value) % 3) :]).decode() != text[-4:]
    ):
        raise Malformed(f"{what} is empty or not canonical base64", code="SIG008")
    return value
