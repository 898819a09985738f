"""Verifying the signature of a bundle against what is trusted; one function for each kind of material."""

from __future__ import annotations

from datetime import datetime

from policies import Finding, Signer, finding
from provenance.attestations.bundle import Bundle, CertificateChain, KeyMaterial
from provenance.signing.keys import PublicKey, oms_hint, public_key_from_bytes
from provenance.signing.proofs import proven
from provenance.signing.trust import Trust

__all__ = ["Verified", "verify_bundle"]

Verified = tuple[Signer | None, tuple[Finding, ...]]


def verify_bundle(bundle: Bundle, trust: Trust, *, now: datetime, where: str) -> Verified:
    """Return the accepted signer of a bundle, or None, and the findings; ``where`` is how messages call the bundle.

    ``now`` is the moment at which certificates without a trusted time must be valid. No network is used. Raises
    ``Malformed`` where the material cannot be read and ``UsageError`` where the trust roots cannot.
    """
    if isinstance(bundle.material, KeyMaterial):
        return _verify_key(bundle, bundle.material, trust, where)
    if isinstance(bundle.material, CertificateChain):
        from provenance.signing.certificate_bundles import verify_certificates

        return verify_certificates(bundle, bundle.material, trust, now=now, where=where)
    from provenance.signing.sigstore_verifying import verify_sigstore

    return verify_sigstore(bundle, trust, where=where)


def _verify_key(bundle: Bundle, material: KeyMaterial, trust: Trust, where: str) -> Verified:
    """Try the trusted keys, the hinted one first; what the bundle says of its key is never trusted."""
    hinted = [each for each in trust.keys if _hints_at(material, each.key)]
    ordered = [*hinted, *(each for each in trust.keys if each not in hinted)]
    proof = proven(bundle, [each.key for each in ordered], where)
    if proof is not None:
        index, findings = proof
        each = ordered[index]
        signer = Signer(
            name=each.name,
            method="key",
            fingerprint=each.fingerprint,
            satisfies=_names(trust, each.fingerprint),
            bundle=where,
        )
        return signer, (*findings, *_historical_key(material, where))
    if hinted:
        return None, (
            finding("SIG002", f"it is not by the key {hinted[0].fingerprint} that it names", path=where),
        )
    return None, (_stranger(material, trust, where),)


def _hints_at(material: KeyMaterial, key: PublicKey) -> bool:
    """Tell whether a bundle names this key: by its hint, or, before release 1.1, by carrying all of it."""
    if material.hint:
        return material.hint.lower() == oms_hint(key)
    try:
        return bool(material.raw_bytes) and public_key_from_bytes(material.raw_bytes) == key
    except ValueError:
        return False


def _stranger(material: KeyMaterial, trust: Trust, where: str) -> Finding:
    if not trust.keys:
        return finding("SIG006", "it is signed with a key, and no key is accepted", path=where)
    shown = material.hint[:80] if material.hint else "no hint"
    accepted = tuple(f"accepted: {each.name} ({each.fingerprint})" for each in trust.keys[:8])
    return finding(
        "SIG006",
        "it is not signed by any accepted key",
        path=where,
        notes=(f"the bundle's hint: {shown}", *accepted),
    )


def _historical_key(material: KeyMaterial, where: str) -> tuple[Finding, ...]:
    if material.hint:
        return ()
    return (
        finding("SIG010", "it carries a key in place of a hint, as releases before 1.1 wrote it", path=where),
    )


def _names(trust: Trust, fingerprint_: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.name for each in trust.keys if each.fingerprint == fingerprint_))
