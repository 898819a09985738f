"""Keyless signatures: Sigstore bundles, verified offline with the public API of ``sigstore``.

The trust roots are those that the ``sigstore`` package ships, or a file (a TrustedRoot or a ClientTrustConfig, both
sigstore/protobuf-specs). Nothing is fetched and nothing is written to the home directory.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from policies import Finding, Signer, finding
from provenance.attestations.bundle import Bundle, SigstoreMaterial
from provenance.attestations.dsse import pae
from provenance.errors import Malformed
from provenance.signing.certificates import ChainError, leaf_key, parse_chain
from provenance.signing.keys import fingerprint, supported_public_key
from provenance.signing.signatures import verify_bytes
from provenance.signing.sigstore_identities import IdentityMatching
from provenance.signing.sigstore_roots import first_line, load_trusted_root
from provenance.signing.trust import Trust

if TYPE_CHECKING:
    from cryptography import x509
    from sigstore.models import TrustedRoot

__all__ = ["verify_sigstore"]


def verify_sigstore(bundle: Bundle, trust: Trust, *, where: str) -> tuple[Signer | None, tuple[Finding, ...]]:
    """Verify a Sigstore bundle and match its identity; returns the signer, or None, and the findings.

    Raises ``UsageError`` where the trust roots cannot be read.
    """
    if not trust.identities:
        return None, (
            finding("SIG006", "it is signed with Sigstore, and no identity is accepted", path=where),
        )
    root = load_trusted_root(trust.trusted_root)
    matching = IdentityMatching(trust)
    try:
        certificate, payload = _verified(bundle, root, matching)
    except Exception as error:  # noqa: BLE001 (a third party's reader of what an attacker may have written)
        return None, (_refusal(bundle, matching, error, where),)
    if payload != bundle.payload:
        return None, (finding("SIG008", "it can be read in two ways", path=where),)
    return _signer(certificate, matching, bundle, where), ()


def _verified(
    bundle: Bundle, root: TrustedRoot, matching: IdentityMatching
) -> tuple[x509.Certificate, bytes]:
    """Have Sigstore verify certificate, identity, log, time and signature (in that order)."""
    from sigstore.models import Bundle as SigstoreBundle
    from sigstore.verify import Verifier

    theirs = SigstoreBundle.from_json(bundle.raw)
    _, payload = Verifier(trusted_root=root).verify_dsse(theirs, matching)
    return theirs.signing_certificate, payload


def _refusal(bundle: Bundle, matching: IdentityMatching, error: Exception, where: str) -> Finding:
    from sigstore.errors import VerificationError

    if matching.stranger:
        return finding("SIG006", matching.stranger, path=where, notes=matching.accepted())
    if not isinstance(error, VerificationError):
        return finding("SIG008", f"Sigstore cannot read it: {first_line(error)}", path=where)
    if not _signed_by_certificate(bundle):
        return finding("SIG002", "it is not by the certificate that it carries", path=where)
    return finding("SIG017", f"Sigstore does not accept it: {first_line(error)}", path=where)


def _signed_by_certificate(bundle: Bundle) -> bool:
    """Tell a changed payload or signature from a lack of proof; decides nothing but which finding is shown."""
    assert isinstance(bundle.material, SigstoreMaterial)
    try:
        key = leaf_key(parse_chain([bundle.material.certificate])[0])
    except (ChainError, Malformed):
        return False
    return verify_bytes(key, bundle.signature, pae(bundle.payload_type, bundle.payload))


def _signer(cert: x509.Certificate, matching: IdentityMatching, bundle: Bundle, where: str) -> Signer:
    names = tuple(dict.fromkeys(matching.names))
    return Signer(
        name=names[0],
        method="sigstore",
        fingerprint=fingerprint(supported_public_key(cert.public_key())),
        identity=matching.identity,
        issuer=matching.issuer,
        time=_trusted_time(bundle, cert),
        satisfies=names,
        bundle=where,
    )


def _trusted_time(bundle: Bundle, cert: x509.Certificate) -> datetime | None:
    """Return a time that verification has bound to the signature.

    Sigstore accepts the certificate only with a trusted time inside of its validity, which lasts ten minutes. The
    log's own time counts where it lies there; else the certificate's start, which no trusted time precedes.
    """
    if not isinstance(bundle.material, SigstoreMaterial):
        return None
    return max(
        cert.not_valid_before_utc,
        min(_integrated(bundle) or cert.not_valid_before_utc, cert.not_valid_after_utc),
    )


class _Entry(msgspec.Struct, rename="camel"):
    integrated_time: str | int = 0


class _Material(msgspec.Struct, rename="camel"):
    tlog_entries: list[_Entry] = []


class _Logged(msgspec.Struct, rename="camel"):
    verification_material: _Material


def _integrated(bundle: Bundle) -> datetime | None:
    try:
        entry = msgspec.json.decode(bundle.raw, type=_Logged).verification_material.tlog_entries[0]
        seconds = int(entry.integrated_time)
        return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < 2**33 else None
    except (msgspec.MsgspecError, IndexError, ValueError, OverflowError):
        return None
