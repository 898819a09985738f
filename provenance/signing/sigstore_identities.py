"""Who a Sigstore certificate is for, matched with the identities that are trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from policies import identity_matches
from provenance.signing.trust import Trust

if TYPE_CHECKING:
    from cryptography import x509

__all__ = ["IdentityMatching"]

# Fulcio's extensions for the issuer: the older is raw text, the newer a DER UTF8String
# (https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md).
_ISSUER: Final = "1.3.6.1.4.1.57264.1.1"
_ISSUER_V2: Final = "1.3.6.1.4.1.57264.1.8"
_USER_NAME: Final = "1.3.6.1.4.1.57264.1.7"


class IdentityMatching:
    """Sigstore's ``VerificationPolicy``: the certificate's identity must be one that is trusted."""

    def __init__(self, trust: Trust) -> None:
        self.trust = trust
        self.names: tuple[str, ...] = ()
        self.identity = self.issuer = self.stranger = ""

    def accepted(self) -> tuple[str, ...]:
        """Return a note for people on each of the first identities that would have been accepted."""
        return tuple(f"accepted: {each.identity} of {each.issuer}" for each in self.trust.identities[:8])

    def verify(self, cert: x509.Certificate) -> None:
        """Raise Sigstore's VerificationError unless an accepted identity matches."""
        from sigstore.errors import VerificationError

        self.issuer = _issuer(cert)
        identities = _identities(cert)
        for each in self.trust.identities:
            for identity in identities:
                if each.issuer == self.issuer and identity_matches(each.identity, identity):
                    self.names += (each.name,)
                    self.identity = identity
        if not self.names:
            self.stranger = (
                f"it is signed by {', '.join(identities) or 'nobody'} of {self.issuer or 'no issuer'}"
            )
            raise VerificationError(self.stranger)


def _identities(cert: x509.Certificate) -> list[str]:
    """Return the e-mail addresses, URIs and user names that the certificate is for (Fulcio writes exactly one)."""
    from cryptography import x509

    try:
        names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    others = names.get_values_for_type(x509.OtherName)
    return [
        *names.get_values_for_type(x509.RFC822Name),
        *names.get_values_for_type(x509.UniformResourceIdentifier),
        *(_utf8_string(other.value) for other in others if other.type_id.dotted_string == _USER_NAME),
    ]


def _issuer(cert: x509.Certificate) -> str:
    from cryptography import x509

    found = {
        extension.oid.dotted_string: extension.value.value
        for extension in cert.extensions
        if isinstance(extension.value, x509.UnrecognizedExtension)
    }
    if _ISSUER_V2 in found:
        return _utf8_string(found[_ISSUER_V2])
    return found.get(_ISSUER, b"").decode("utf-8", "replace")


def _utf8_string(der: bytes) -> str:
    """Decode a DER UTF8String (ITU-T X.690, section 8.23) of up to 65,535 bytes; "" for anything else."""
    if len(der) < 2:
        return ""
    header = 2 if der[1:2] < b"\x80" else 2 + (der[1] & 0x7F)
    length = der[1] if header == 2 else int.from_bytes(der[2:header])
    if der[:1] != b"\x0c" or header > 4 or len(der) != header + length:
        return ""
    return der[header:].decode("utf-8", "replace")
