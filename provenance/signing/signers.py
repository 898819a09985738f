"""Signers: functions that turn the payload of a statement into a bundle's JSON.

PKCS#11 tokens and key management services belong here too: each is one more function that makes a ``Signer``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from provenance.attestations.bundle import Bundle, CertificateChain, KeyMaterial, encode_bundle
from provenance.attestations.dsse import pae
from provenance.attestations.types import PAYLOAD_TYPE
from provenance.errors import UsageError
from provenance.signing.keys import PrivateKey, fingerprint, load_private_key, oms_hint
from provenance.signing.signatures import sign_bytes

__all__ = ["PayloadSigner", "certificate_signer", "key_signer", "open_key", "sigstore_signer"]

# Takes the payload of an in-toto statement and returns a Sigstore bundle as JSON.
PayloadSigner = Callable[[bytes], bytes]


def open_key(key: str | Path | PrivateKey, password: str | bytes | None = None) -> PrivateKey:
    """Return a private key: itself, or the one in the file at this path."""
    if isinstance(key, str | Path):
        secret = password.encode() if isinstance(password, str) else password
        return load_private_key(Path(key), secret)
    return key


def key_signer(key: PrivateKey) -> PayloadSigner:
    """Sign with a managed key; the bundle carries a hint of it."""
    material = KeyMaterial(oms_hint(key.public_key()))
    return lambda payload: encode_bundle(
        Bundle(material=material, payload=payload, signature=sign_bytes(key, pae(PAYLOAD_TYPE, payload)))
    )


def certificate_signer(key: PrivateKey, certificate: Path, chain: Sequence[Path] = ()) -> PayloadSigner:
    """Sign with a key that a certificate names; the bundle carries the certificate and its intermediates.

    Raises ``UsageError`` where the certificate is not for this key.
    """
    from provenance.signing.certificates import ChainError, leaf_key, load_certificates

    certificates = [
        *load_certificates(certificate),
        *(one for path in chain for one in load_certificates(path)),
    ]
    try:
        named = fingerprint(leaf_key(certificates[0]))
    except ChainError as error:
        raise UsageError(f"cannot sign with {certificate}: {error}") from error
    if named != fingerprint(key.public_key()):
        raise UsageError(f"the certificate {certificate} is for another key")
    material = CertificateChain(tuple(one.public_bytes(serialization.Encoding.DER) for one in certificates))
    return lambda payload: encode_bundle(
        Bundle(material=material, payload=payload, signature=sign_bytes(key, pae(PAYLOAD_TYPE, payload)))
    )


def sigstore_signer(*, identity_token: str | None = None, trust_config: Path | None = None) -> PayloadSigner:
    """Sign without a key of one's own, by an identity that Sigstore certifies."""
    from provenance.signing.sigstore_signing import sign_with_sigstore

    return lambda payload: sign_with_sigstore(
        payload, identity_token=identity_token, trust_config=trust_config
    )
