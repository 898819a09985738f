"""Keyless signatures: Sigstore bundles, verified offline with the public API of ``sigstore``.

The trust roots are those that the ``sigstore`` package ships, or a file (a TrustedRoot or a ClientTrustConfig, both
sigstore/protobuf-specs). Nothing is fetched and nothing is written to the home directory.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Final

import msgspec

from policies import Finding, Signer, finding, identity_matches
from provenance.attestations.bundle import Bundle, SigstoreMaterial
from provenance.errors import UsageError
from provenance.signing.keys import fingerprint, supported_public_key
from provenance.signing.trust import Trust

if TYPE_CHECKING:
    from cryptography import x509
    from sigstore.models import TrustedRoot

__all__ = ["load_trusted_root", "verify_sigstore"]

# Fulcio's extensions for the issuer: the older is raw text, the newer a DER UTF8String
# (https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md).
_ISSUER: Final = "1.3.6.1.4.1.57264.1.1"
_ISSUER_V2: Final = "1.3.6.1.4.1.57264.1.8"
_SHIPPED: Final = ("_store", "https%3A%2F%2Ftuf-repo-cdn.sigstore.dev", "trusted_root.json")
_MAX_ROOT_BYTES: Final = 4 * 1024 * 1024


def verify_sigstore(bundle: Bundle, trust: Trust, *, where: str) -> tuple[Signer | None, tuple[Finding, ...]]:
    """Verify a Sigstore bundle and match its identity; returns the signer, or None, and the findings."""
    if not trust.identities:
        return None, (
            finding("SIG006", "it is signed with Sigstore, and no identity is accepted", path=where),
        )
    from sigstore.errors import Error, VerificationError
    from sigstore.models import Bundle as SigstoreBundle
    from sigstore.models import InvalidBundle
    from sigstore.verify import Verifier

    matching = _Matching(trust)
    try:
        theirs = SigstoreBundle.from_json(bundle.raw)
        # The policy runs before the signature is checked, so a mismatch is reported by itself.
        _, payload = Verifier(trusted_root=load_trusted_root(trust.trusted_root)).verify_dsse(
            theirs, matching
        )
    except (InvalidBundle, ValueError, TypeError, KeyError, AttributeError) as error:
        return None, (finding("SIG008", f"Sigstore cannot read it: {_first_line(error)}", path=where),)
    except (VerificationError, Error) as error:
        if matching.stranger:
            return None, (finding("SIG006", matching.stranger, path=where, notes=matching.accepted()),)
        return None, (finding("SIG017", f"Sigstore does not accept it: {_first_line(error)}", path=where),)
    if payload != bundle.payload:
        return None, (finding("SIG008", "it can be read in two ways", path=where),)
    return _signer(theirs.signing_certificate, matching, bundle, where), ()


class _Matching:
    """Sigstore's ``VerificationPolicy``: the certificate's identity must be one that is trusted."""

    def __init__(self, trust: Trust) -> None:
        self.trust = trust
        self.names: tuple[str, ...] = ()
        self.identity = self.issuer = self.stranger = ""

    def accepted(self) -> tuple[str, ...]:
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
    from cryptography import x509

    try:
        names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [
        *names.get_values_for_type(x509.RFC822Name),
        *names.get_values_for_type(x509.UniformResourceIdentifier),
    ]


def _issuer(cert: x509.Certificate) -> str:
    from cryptography import x509

    found = {extension.oid.dotted_string: extension.value for extension in cert.extensions}
    newer, older = found.get(_ISSUER_V2), found.get(_ISSUER)
    if (
        isinstance(newer, x509.UnrecognizedExtension)
        and newer.value[:1] == b"\x0c"
        and len(newer.value) < 130
    ):
        return newer.value[2:].decode("utf-8", "replace")
    if isinstance(older, x509.UnrecognizedExtension):
        return older.value.decode("utf-8", "replace")
    return ""


def _signer(cert: x509.Certificate, matching: _Matching, bundle: Bundle, where: str) -> Signer:
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


def load_trusted_root(path: Path | None) -> TrustedRoot:
    """Read trust roots from a file, or those that ``sigstore`` ships; raises ``UsageError``."""
    from sigstore.models import TrustedRoot

    if path is None:
        with as_file(files("sigstore").joinpath(*_SHIPPED)) as shipped:
            return TrustedRoot.from_file(str(shipped))
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_ROOT_BYTES + 1)
        tree = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        # A ClientTrustConfig holds the trust roots in a member; the public API reads those from a file.
        inner = bytes(tree["trustedRoot"]) if "trustedRoot" in tree else data
        with NamedTemporaryFile(suffix=".json") as only_roots:
            only_roots.write(inner)
            only_roots.flush()
            return TrustedRoot.from_file(only_roots.name)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from error
    except Exception as error:  # a third party's reader of a file that the user named
        raise UsageError(f"{path} holds no Sigstore trust roots: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
