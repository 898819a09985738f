"""Verifying the signature of a bundle against what is trusted; one function for each kind of material."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from cryptography.hazmat.primitives import hashes

from policies import Finding, Signer, finding
from provenance.attestations.bundle import Bundle, CertificateChain, KeyMaterial
from provenance.attestations.dsse import pae, pae_compat
from provenance.attestations.limits import MAX_HISTORICAL_BYTES
from provenance.signing.keys import PublicKey, fingerprint, oms_hint, public_key_from_bytes
from provenance.signing.signatures import verify_bytes
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
        return _verify_chain(bundle, bundle.material, trust, now, where)
    from provenance.signing.sigstore_verifying import verify_sigstore

    return verify_sigstore(bundle, trust, where=where)


def _verify_key(bundle: Bundle, material: KeyMaterial, trust: Trust, where: str) -> Verified:
    """Try the trusted keys, the hinted one first; what the bundle says of its key is never trusted."""
    hinted = [each for each in trust.keys if _hints_at(material, each.key)]
    ordered = [*hinted, *(each for each in trust.keys if each not in hinted)]
    proven = _proven(bundle, [each.key for each in ordered], where)
    if proven is not None:
        index, findings = proven
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


def _proven(bundle: Bundle, keys: Sequence[PublicKey], where: str) -> tuple[int, tuple[Finding, ...]] | None:
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


def _verify_chain(
    bundle: Bundle, material: CertificateChain, trust: Trust, now: datetime, where: str
) -> Verified:
    """The leaf's key must have signed; then the leaf must lead to a trusted root, or its key be trusted itself."""
    from provenance.signing.certificates import ChainError, leaf_key, leaf_name, parse_chain, verify_chain

    chain = parse_chain(material.certificates)
    try:
        key = leaf_key(chain[0])
    except ChainError as error:
        return None, (finding("SIG018", str(error), path=where),)
    proven = _proven(bundle, [key], where)
    if proven is None:
        return None, (finding("SIG002", "it is not by the certificate that it carries", path=where),)
    print_ = fingerprint(key)
    names = list(_names(trust, print_))
    reasons: list[str] = []
    for roots in trust.roots:
        try:
            verify_chain(chain, roots.certificates, at=now)
            names.append(roots.name)
        except ChainError as error:
            reasons.append(str(error))
    if not names:
        return None, (_untrusted(trust, tuple(reasons), where),)
    signer = Signer(
        name=names[0],
        method="certificate",
        fingerprint=print_,
        identity=leaf_name(chain[0]),
        issuer=chain[0].issuer.rfc4514_string(),
        satisfies=tuple(dict.fromkeys(names)),
        bundle=where,
    )
    return signer, proven[1]


def _untrusted(trust: Trust, reasons: tuple[str, ...], where: str) -> Finding:
    if not trust.roots:
        return finding(
            "SIG006", "it is signed with a certificate, and no root certificate is accepted", path=where
        )
    return finding("SIG013", f"the certificate is not accepted: {reasons[0]}", path=where, notes=reasons[1:])
