"""What is trusted to sign, resolved from a policy's paths to keys, certificates and identities."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from policies import Policy, SignerRule
from provenance.signing.keys import PublicKey, fingerprint, load_public_key

if TYPE_CHECKING:
    from cryptography import x509

__all__ = ["Trust", "TrustedIdentity", "TrustedKey", "TrustedRoots", "trust_from"]


class TrustedKey(NamedTuple):
    """A key that stands for the signer ``name``."""

    name: str
    key: PublicKey
    fingerprint: str


class TrustedRoots(NamedTuple):
    """Root certificates whose chains stand for the signer ``name``."""

    name: str
    certificates: tuple[x509.Certificate, ...]


class TrustedIdentity(NamedTuple):
    """An identity (a pattern, see ``policies.identity_matches``) at an issuer that stands for the signer ``name``."""

    name: str
    identity: str
    issuer: str


class Trust(NamedTuple):
    """All that is trusted; ``trusted_root`` is a file of Sigstore's trust roots, None for those that are shipped."""

    keys: tuple[TrustedKey, ...] = ()
    roots: tuple[TrustedRoots, ...] = ()
    identities: tuple[TrustedIdentity, ...] = ()
    trusted_root: Path | None = None


def trust_from(policy: Policy, *, trusted_root: Path | None = None) -> Trust:
    """Read the keys and certificates of the policy's accepted signers; raises ``UsageError`` where one is unusable."""
    accepted = [signer for signer in policy.signers if signer.name in policy.signatures.accept]
    return Trust(
        keys=tuple(key for signer in accepted for key in _keys(signer)),
        roots=tuple(_roots(signer) for signer in accepted if signer.certificates),
        identities=tuple(
            TrustedIdentity(signer.name, signer.identity, signer.issuer)
            for signer in accepted
            if signer.identity
        ),
        trusted_root=trusted_root,
    )


def _keys(signer: SignerRule) -> list[TrustedKey]:
    keys = [load_public_key(Path(path)) for path in signer.keys]
    return [TrustedKey(signer.name, key, fingerprint(key)) for key in keys]


def _roots(signer: SignerRule) -> TrustedRoots:
    from provenance.signing.certificates import load_certificates

    return TrustedRoots(
        signer.name, tuple(root for path in signer.certificates for root in load_certificates(Path(path)))
    )
