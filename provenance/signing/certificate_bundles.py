"""Verifying bundles that carry certificates of a private PKI."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509

from policies import Finding, Signer, finding
from provenance.attestations.bundle import Bundle, CertificateChain
from provenance.signing.certificates import ChainError, leaf_key, leaf_name, parse_chain, verify_chain
from provenance.signing.keys import fingerprint
from provenance.signing.proofs import proven
from provenance.signing.trust import Trust

__all__ = ["verify_certificates"]


def verify_certificates(
    bundle: Bundle, material: CertificateChain, trust: Trust, *, now: datetime, where: str
) -> tuple[Signer | None, tuple[Finding, ...]]:
    """Verify that the leaf's key signed, and that it leads to a trusted root or is a trusted key itself.

    Raises ``Malformed`` (SIG008) where a certificate cannot be read.
    """
    chain = parse_chain(material.certificates)
    by_chain, reasons = _accepting(chain, trust, now)
    try:
        key = leaf_key(chain[0])
    except ChainError as error:
        if by_chain:  # an authority that is trusted says so: it is this version that falls short
            return None, (finding("SIG018", str(error), path=where),)
        return None, (_untrusted(trust, reasons or (str(error),), where),)
    proof = proven(bundle, [key], where)
    if proof is None:
        return None, (finding("SIG002", "it is not by the certificate that it carries", path=where),)
    by_key = tuple(each.name for each in trust.keys if each.fingerprint == fingerprint(key))
    if not by_chain and not by_key:
        return None, (_untrusted(trust, reasons, where),)
    names = tuple(dict.fromkeys((*by_key, *by_chain)))
    signer = Signer(
        name=names[0],
        # Only a chain proves what a certificate says; where the key alone is trusted, it is no more than a hint.
        method="certificate" if by_chain else "key",
        fingerprint=fingerprint(key),
        identity=leaf_name(chain[0]) if by_chain else "",
        issuer=chain[0].issuer.rfc4514_string() if by_chain else "",
        satisfies=names,
        bundle=where,
    )
    return signer, proof[1]


def _accepting(
    chain: Sequence[x509.Certificate], trust: Trust, now: datetime
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the trusted roots that the chain leads to, and why it does not lead to the others."""
    names: list[str] = []
    reasons: list[str] = []
    for roots in trust.roots:
        try:
            verify_chain(chain, roots.certificates, at=now)
            names.append(roots.name)
        except ChainError as error:
            reasons.append(str(error))
    return tuple(names), tuple(reasons)


def _untrusted(trust: Trust, reasons: tuple[str, ...], where: str) -> Finding:
    if not trust.roots:
        return finding(
            "SIG006", "it is signed with a certificate, and no root certificate is accepted", path=where
        )
    return finding("SIG013", f"the certificate is not accepted: {reasons[0]}", path=where, notes=reasons[1:])
