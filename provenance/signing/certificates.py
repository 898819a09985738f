"""Certificate chains of a private PKI, verified to a root that the caller trusts (RFC 5280, section 6, in part).

Names, validity at one moment, signatures, basicConstraints, pathLenConstraint, keyUsage and extendedKeyUsage are
checked; where a leaf has both usages, both must allow signing. A critical extension that is not understood here makes
a certificate unusable: name and policy constraints are not evaluated, nor are revocation lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from provenance.errors import Malformed, UsageError
from provenance.signing.keys import PublicKey, read_key_file, supported_public_key

__all__ = ["ChainError", "leaf_key", "leaf_name", "load_certificates", "parse_chain", "verify_chain"]

Kind = TypeVar("Kind", bound=x509.ExtensionType)
MAX_DEPTH: Final = 8
_ANY_USAGE: Final = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE
_UNDERSTOOD: Final = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
    }
)


class ChainError(Exception):
    """Why a certificate cannot be trusted, in a sentence."""


def load_certificates(path: Path) -> tuple[x509.Certificate, ...]:
    """Read all certificates of a PEM file; raises ``UsageError`` where there is none."""
    try:
        return tuple(x509.load_pem_x509_certificates(read_key_file(path)))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{path} holds no certificate in PEM") from error


def parse_chain(certificates: Sequence[bytes]) -> tuple[x509.Certificate, ...]:
    """Read the DER certificates of a bundle, the signer's first; raises ``Malformed`` (SIG008)."""
    try:
        chain = tuple(x509.load_der_x509_certificate(data) for data in certificates)
        for certificate in chain:
            _read_all(certificate)
    except Exception as error:  # what the parser raises is not all documented, nor of one kind
        raise Malformed("a certificate in the bundle cannot be read", code="SIG008") from error
    return chain


def _read_all(certificate: x509.Certificate) -> None:
    """Have the parts decoded that are otherwise decoded, or found to be broken, only when they are asked for."""
    # A signature has whole bytes; that it says so is the one byte which is neither signed nor part of it.
    if not certificate.public_bytes(Encoding.DER).endswith(b"\0" + certificate.signature):
        raise ValueError("the signature has unused bits")
    for name in (certificate.subject, certificate.issuer):
        name.rfc4514_string()
    _ = certificate.not_valid_before_utc, certificate.not_valid_after_utc


def leaf_key(leaf: x509.Certificate) -> PublicKey:
    """Return the signer's public key; raises ``ChainError`` where it is of a kind that is not supported."""
    try:
        return supported_public_key(leaf.public_key())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ChainError("the certificate's key is of a kind that is not supported") from error


def leaf_name(leaf: x509.Certificate) -> str:
    """Return the subject of the certificate for people (RFC 4514)."""
    return leaf.subject.rfc4514_string() or f"serial {leaf.serial_number:x}"


def verify_chain(
    chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate], *, at: datetime
) -> tuple[x509.Certificate, ...]:
    """Verify the first of ``chain`` to one of ``roots`` as of the moment ``at``, and return the path that leads there.

    The others of ``chain`` serve as intermediates, in any order. A root may be the leaf's direct issuer, an
    intermediate, or the leaf itself. Each certificate must be intact, needed or not. Raises ``ChainError``.
    """
    leaf = chain[0]
    _check_usable(leaf, at)
    _check_may_sign(leaf)
    path = (leaf,) if leaf in roots else _search(leaf, chain[1:], roots, at)
    for certificate in chain:
        # What plays no part must be whole all the same, so that no changed bundle passes for the signer's.
        if certificate not in path and not any(_issued(certificate, issuer) for issuer in (*chain, *roots)):
            raise ChainError(f"{leaf_name(certificate)} is by an issuer that is not known")
    return path


def _search(
    leaf: x509.Certificate,
    others: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    at: datetime,
) -> tuple[x509.Certificate, ...]:
    # Breadth first, each certificate once: the shortest path to each is found, which path lengths restrict least.
    reasons: list[str] = []
    unused = [certificate for certificate in others if certificate not in roots]
    paths: list[tuple[x509.Certificate, ...]] = [(leaf,)]
    while paths:
        path = paths.pop(0)
        for issuer in _issuers(path, roots, at, reasons):
            return (*path, issuer)
        if len(path) < MAX_DEPTH:
            found = _issuers(path, unused, at, reasons)
            unused = [certificate for certificate in unused if certificate not in found]
            paths.extend((*path, issuer) for issuer in found)
    reason = reasons[0] if reasons else "it does not lead to any root that is trusted"
    raise ChainError(f"{leaf_name(leaf)}: {reason}")


def _issuers(
    path: tuple[x509.Certificate, ...],
    candidates: Sequence[x509.Certificate],
    at: datetime,
    reasons: list[str],
) -> list[x509.Certificate]:
    """Return the candidates that issued the last of ``path`` and might; why others might not goes to ``reasons``."""
    found = []
    for candidate in candidates:
        if candidate in path or not _issued(path[-1], candidate):
            continue
        try:
            _check_issuer(candidate, len(path) - 1, at)
        except ChainError as error:
            reasons.append(str(error))
        else:
            found.append(candidate)
    return found


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        # Whoever can find collisions of MD5 or SHA-1 can have one certificate signed and show another.
        if isinstance(certificate.signature_hash_algorithm, hashes.MD5 | hashes.SHA1):
            return False
        certificate.verify_directly_issued_by(issuer)
    except Exception:  # noqa: BLE001 (a broken issuer, a wrong signature: it is not the issuer)
        return False
    return True


def _check_issuer(certificate: x509.Certificate, below: int, at: datetime) -> None:
    """``below`` is the number of intermediate certificates between this one and the leaf."""
    _check_usable(certificate, at)
    constraints = _extension(certificate, x509.BasicConstraints)
    if constraints is None or not constraints.ca:
        raise ChainError(f"{leaf_name(certificate)} may not issue certificates")
    if constraints.path_length is not None and below > constraints.path_length:
        raise ChainError(f"the chain is longer than {leaf_name(certificate)} allows")
    usage = _extension(certificate, x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        raise ChainError(f"the key of {leaf_name(certificate)} may not sign certificates")


def _check_usable(certificate: x509.Certificate, at: datetime) -> None:
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        valid = f"{certificate.not_valid_before_utc:%Y-%m-%d} to {certificate.not_valid_after_utc:%Y-%m-%d}"
        raise ChainError(f"{leaf_name(certificate)} is valid from {valid}, not on {at:%Y-%m-%d}")
    for extension in _extensions(certificate):
        if extension.critical and extension.oid not in _UNDERSTOOD:
            oid = extension.oid.dotted_string
            raise ChainError(
                f"{leaf_name(certificate)} has a critical extension that is not understood ({oid})"
            )


def _check_may_sign(leaf: x509.Certificate) -> None:
    usage = _extension(leaf, x509.KeyUsage)
    extended = _extension(leaf, x509.ExtendedKeyUsage)
    if extended is not None and not {ExtendedKeyUsageOID.CODE_SIGNING, _ANY_USAGE} & set(extended):
        raise ChainError(f"{leaf_name(leaf)} is not for signing (extended key usage)")
    if usage is not None and not usage.digital_signature:
        raise ChainError(f"{leaf_name(leaf)} is not for signing (key usage)")
    if usage is None and extended is None:
        raise ChainError(f"{leaf_name(leaf)} does not say that it is for signing")


def _extensions(certificate: x509.Certificate) -> x509.Extensions:
    try:
        return certificate.extensions
    except Exception as error:  # see parse_chain
        raise ChainError(f"{leaf_name(certificate)} has extensions that cannot be read") from error


def _extension(certificate: x509.Certificate, kind: type[Kind]) -> Kind | None:
    try:
        return _extensions(certificate).get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
