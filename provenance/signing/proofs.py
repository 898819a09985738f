"""Which of some keys signed a bundle, over the encoding of DSSE or the one that release 0.2.0 took for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cryptography.hazmat.primitives import hashes

from policies import Finding, finding
from provenance.attestations.bundle import Bundle
from provenance.attestations.dsse import pae, pae_compat
from provenance.attestations.limits import MAX_HISTORICAL_BYTES
from provenance.signing.keys import PublicKey
from provenance.signing.signatures import verify_bytes

__all__ = ["proven"]


def proven(bundle: Bundle, keys: Sequence[PublicKey], where: str) -> tuple[int, tuple[Finding, ...]] | None:
    """Return which of the keys signed, and a remark where it signed what release 0.2.0 took for the encoding."""
    for data, digest, findings in _encodings(bundle, where):
        for index, key in enumerate(keys):
            if verify_bytes(key, bundle.signature, data, digest=digest):
                return index, findings
    return None


def _encodings(
    bundle: Bundle, where: str
) -> Iterator[tuple[bytes, hashes.HashAlgorithm | None, tuple[Finding, ...]]]:
    yield pae(bundle.payload_type, bundle.payload), None, ()
    if len(bundle.payload) > MAX_HISTORICAL_BYTES:
        return
    old = pae_compat(bundle.payload_type, bundle.payload)
    remark = (finding("SIG010", "it signs the faulty encoding of release 0.2.0", path=where),)
    yield old, None, remark
    # That release used SHA-256 whatever the curve.
    yield old, hashes.SHA256(), remark
