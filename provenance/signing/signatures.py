"""Raw signatures over bytes, by the kind of the key.

ECDSA with the hash of the curve's size (OMS v1.0, algorithm registry); Ed25519 (RFC 8032) and ML-DSA-65 (FIPS 204)
over the bytes themselves. The last two are extensions that the reference tool of OMS cannot read.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from provenance.signing.keys import PrivateKey, PublicKey

__all__ = ["sign_bytes", "verify_bytes"]


def sign_bytes(key: PrivateKey, data: bytes) -> bytes:
    """Sign ``data``; ECDSA signatures are DER."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(data, ec.ECDSA(_curve_hash(key.curve)))
    return key.sign(data)


def verify_bytes(
    key: PublicKey, signature: bytes, data: bytes, *, digest: hashes.HashAlgorithm | None = None
) -> bool:
    """Tell whether ``signature`` is by ``key`` over ``data``; ``digest`` overrides the curve's own hash (ECDSA)."""
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(digest or _curve_hash(key.curve)))
        else:
            key.verify(signature, data)
    except InvalidSignature:
        return False
    return True


def _curve_hash(curve: ec.EllipticCurve) -> hashes.HashAlgorithm:
    sizes: dict[int, hashes.HashAlgorithm] = {
        256: hashes.SHA256(),
        384: hashes.SHA384(),
        521: hashes.SHA512(),
    }
    return sizes[curve.key_size]
