"""Signed statements: one in-toto statement in a bundle, opened only where somebody who is trusted signed it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import msgspec

from policies import GIVEN, Finding, Signer, outcome
from provenance.attestations.bundle import Bundle, KeyMaterial, parse_bundle
from provenance.attestations.discovery import BundleSource, read_bundle
from provenance.attestations.statement import Statement, encode_statement, parse_statement
from provenance.errors import Refused, Undecided
from provenance.signing.keys import (
    PrivateKey,
    PublicKey,
    fingerprint,
    load_public_key,
    oms_hint,
    public_key_from_bytes,
)
from provenance.signing.signers import PayloadSigner, key_signer
from provenance.signing.trust import Trust, TrustedKey
from provenance.signing.verifying import verify_bundle

__all__ = [
    "Keyring",
    "SignedStatement",
    "UnverifiedStatement",
    "keyring",
    "open_statement",
    "read_statement",
    "sign_statement",
    "trust_of_keys",
    "verify_statement",
]

AnyPath = str | PathLike[str]


class UnverifiedStatement(msgspec.Struct, frozen=True, kw_only=True):
    """A statement that anybody may have written: it is well formed, and that is all.

    ``digest`` is the SHA-256 of the payload in hex: the identity of the statement, whoever signed it.
    """

    statement: Statement
    bundle: Bundle
    digest: str
    where: str


class SignedStatement(msgspec.Struct, frozen=True, kw_only=True):
    """A statement whose signature was verified to be by ``signer``, who was trusted to sign.

    ``signer.fingerprint`` is that of the key; ``signer.time`` is a trusted time (of a log or a timestamp), or None:
    then nothing is known of when it was signed, whatever the statement claims.
    """

    statement: Statement
    signer: Signer
    digest: str
    where: str
    findings: tuple[Finding, ...] = ()


class Keyring(NamedTuple):
    """Trust with its keys indexed by the hints in bundles, for many statements against many keys."""

    trust: Trust
    by_hint: dict[str, tuple[TrustedKey, ...]]


def keyring(trust: Trust) -> Keyring:
    """Index the keys of a trust."""
    by_hint: dict[str, tuple[TrustedKey, ...]] = {}
    for each in trust.keys:
        hint = oms_hint(each.key)
        by_hint[hint] = (*by_hint.get(hint, ()), each)
    return Keyring(trust, by_hint)


def trust_of_keys(keys: Iterable[AnyPath | PublicKey], *, name: str = GIVEN) -> Trust:
    """Trust public keys (or files of them) under one name; raises ``UsageError`` where a file holds none."""
    found = [load_public_key(Path(key)) if isinstance(key, str | PathLike) else key for key in keys]
    return Trust(keys=tuple(TrustedKey(name, key, fingerprint(key)) for key in found))


def sign_statement(statement: Statement, signer: PrivateKey | PayloadSigner) -> bytes:
    """Sign a statement and return the bundle's JSON."""
    sign = signer if callable(signer) else key_signer(signer)
    return sign(encode_statement(statement))


def read_statement(source: BundleSource) -> UnverifiedStatement:
    """Read the statement of a bundle without verifying anything.

    Raises ``Malformed`` (SIG008) where it is none, and the problem of a source that could not be read.
    """
    if source.problem is not None:
        raise source.problem
    bundle = parse_bundle(source.data)
    return UnverifiedStatement(
        statement=parse_statement(bundle.payload),
        bundle=bundle,
        digest=hashlib.sha256(bundle.payload).hexdigest(),
        where=source.where,
    )


def open_statement(
    source: BundleSource | AnyPath, trust: Trust | Keyring, *, now: datetime | None = None
) -> SignedStatement:
    """Read one bundle and verify that somebody who is trusted signed its statement; no network is used.

    A bundle that names its key by a hint is held against the keys of that hint alone. ``now`` is when certificates
    without a trusted time must be valid (the present where None). Raises ``Malformed`` (SIG008), ``Unreadable``
    (SIG001, SIG009), ``Refused`` (SIG002 wrong signature, SIG006 stranger, SIG013, SIG017) or ``Undecided`` (SIG018).
    """
    found = source if isinstance(source, BundleSource) else read_bundle(Path(source))
    return verify_statement(read_statement(found), trust, now=now)


def verify_statement(
    unverified: UnverifiedStatement, trust: Trust | Keyring, *, now: datetime | None = None
) -> SignedStatement:
    """Verify the signature of a statement that was read already; raises as ``open_statement`` does."""
    ring = trust if isinstance(trust, Keyring) else keyring(trust)
    signer, findings = verify_bundle(
        unverified.bundle,
        _narrowed(ring, unverified.bundle),
        now=now or datetime.now(UTC),
        where=unverified.where,
    )
    errors = [found for found in findings if found.severity == "error"]
    if signer is None or errors:
        raise _verdict(errors, unverified.where)
    return SignedStatement(
        statement=unverified.statement,
        signer=signer,
        digest=unverified.digest,
        where=unverified.where,
        findings=findings,
    )


def _narrowed(ring: Keyring, bundle: Bundle) -> Trust:
    """Take the keys that a bundle hints at: trying a thousand keys on each of a thousand bundles would be too slow."""
    material = bundle.material
    if not isinstance(material, KeyMaterial):
        return ring.trust
    hint = material.hint.lower()
    if not hint and material.raw_bytes:
        try:
            hint = oms_hint(public_key_from_bytes(material.raw_bytes))
        except ValueError:
            return ring.trust._replace(keys=())
    return ring.trust._replace(keys=ring.by_hint.get(hint, ()))


def _verdict(errors: list[Finding], where: str) -> Refused | Undecided:
    first = errors[0] if errors else None
    kind = Undecided if errors and outcome(errors) == "undecided" else Refused
    message = first.message if first else "it is not signed by anybody who is accepted"
    return kind(
        f"{where}: {message}", code=first.rule if first else "SIG006", hint=first.hint if first else ""
    )
