"""Key files: made, read and told apart by their fingerprints.

Private keys are PKCS#8 PEM, SEC1 PEM or OpenSSH; public keys are SPKI PEM, a certificate's PEM or an OpenSSH line.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa

from provenance.artifacts.atomic import write_atomically
from provenance.errors import UsageError

__all__ = [
    "ALGORITHMS",
    "MAX_KEY_BYTES",
    "PasswordRequired",
    "PrivateKey",
    "PublicKey",
    "fingerprint",
    "generate",
    "load_private_key",
    "load_public_key",
    "oms_hint",
    "public_key_from_bytes",
    "read_key_file",
    "supported_public_key",
    "write_key_pair",
]

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | mldsa.MLDSA65PrivateKey
PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | mldsa.MLDSA65PublicKey

MAX_KEY_BYTES: Final = 64 * 1024
_CURVES: Final = frozenset({"secp256r1", "secp384r1", "secp521r1"})
_GENERATORS: Final[dict[str, Callable[[], PrivateKey]]] = {
    "ecdsa-p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ecdsa-p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ecdsa-p521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "ml-dsa-65": mldsa.MLDSA65PrivateKey.generate,
}
ALGORITHMS: Final = tuple(_GENERATORS)
_SUPPORTED: Final = "ECDSA P-256, P-384, P-521, Ed25519 and ML-DSA-65 keys are supported"


class PasswordRequired(UsageError):
    """The private key is encrypted and no password was given; a caller with a terminal may ask for it."""


def generate(algorithm: str) -> PrivateKey:
    """Make a new private key; raises ``UsageError`` for an algorithm that is not in ``ALGORITHMS``."""
    if algorithm not in _GENERATORS:
        raise UsageError(f"there is no algorithm {algorithm}", hint=f"choose one of {', '.join(ALGORITHMS)}")
    return _GENERATORS[algorithm]()


def write_key_pair(path: Path, key: PrivateKey, *, password: bytes | None = None) -> Path:
    """Write ``key`` to ``path`` (PKCS#8 PEM, mode 0600) and its public half to ``path``.pub; return the latter.

    An existing file is never overwritten (``UsageError``), and where one of the two cannot be written neither stays.
    """
    public = path.with_name(path.name + ".pub")
    for each in (path, public):
        if os.path.lexists(each):
            raise UsageError(f"{each} exists already", hint="choose another name; keys are never overwritten")
    protection = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)
    try:
        write_atomically(path, secret, mode=0o600, exclusive=True)
        try:
            write_atomically(public, _public_pem(key.public_key()), exclusive=True)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(f"cannot write {path}: {(error.strerror or str(error)).lower()}") from error
    return public


def load_private_key(path: Path, password: bytes | None = None) -> PrivateKey:
    """Read a private key.

    Raises ``PasswordRequired`` for an encrypted key without a password, ``UsageError`` for a wrong password, a file
    that cannot be read or holds no key, and a kind of key that is not supported.
    """
    data = read_key_file(path)
    password = password or None
    openssh = b"BEGIN OPENSSH PRIVATE KEY" in data
    load = serialization.load_ssh_private_key if openssh else serialization.load_pem_private_key
    key: object
    try:
        key = load(data, password)
    except TypeError as error:
        if password is None:
            raise PasswordRequired(
                f"the key {path} is encrypted", hint="give its password with --password-env or --password-fd"
            ) from error
        key = _load_unprotected(load, data, path)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _unusable(path, password, data, error) from error
    if isinstance(key, ed25519.Ed25519PrivateKey | mldsa.MLDSA65PrivateKey):
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES:
        return key
    raise UsageError(f"the key {path} is of a kind that is not supported", hint=_SUPPORTED)


def _load_unprotected(load: Callable[[bytes, None], object], data: bytes, path: Path) -> object:
    """A password was given for a key that has none: that is no reason to refuse."""
    try:
        return load(data, None)
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{path} holds no private key that can be read") from error


def _unusable(path: Path, password: bytes | None, data: bytes, error: Exception) -> UsageError:
    if b"PRIVATE KEY" not in data:
        return UsageError(f"{path} holds no private key", hint="make one with `provenance keygen KEY`")
    if b"OPENSSH" in data and password is None and b"bcrypt" in _openssh_blob(data):
        return PasswordRequired(f"the key {path} is encrypted", hint="give its password with --password-env")
    if isinstance(error, UnsupportedAlgorithm):
        return UsageError(
            f"{path} is in a form that this installation cannot read", hint="write it anew as PKCS#8 PEM"
        )
    if password is not None:
        return UsageError(f"the password for {path} is wrong, or the file is damaged")
    return UsageError(f"{path} holds no private key that can be read")


def _openssh_blob(data: bytes) -> bytes:
    import base64

    body = b"".join(line for line in data.splitlines() if not line.startswith(b"-"))
    try:
        return base64.b64decode(body)[:128]
    except ValueError:
        return b""


def load_public_key(path: Path) -> PublicKey:
    """Read a public key; raises ``UsageError`` where the file cannot be read or holds no supported one."""
    try:
        return public_key_from_bytes(read_key_file(path))
    except ValueError as error:
        raise UsageError(f"cannot use the public key {path}: {error}", hint=_SUPPORTED) from error


def public_key_from_bytes(data: bytes) -> PublicKey:
    """Read a public key from PEM (a key or a certificate) or an OpenSSH line; raises ``ValueError``."""
    if b"PRIVATE KEY" in data:
        raise ValueError("it is a private key; name its .pub file")
    try:
        if b"-----BEGIN CERTIFICATE-----" in data:
            from cryptography.x509 import load_pem_x509_certificate

            return supported_public_key(load_pem_x509_certificate(data).public_key())
        if b"-----BEGIN" in data:
            return supported_public_key(serialization.load_pem_public_key(data))
        return supported_public_key(serialization.load_ssh_public_key(data.strip()))
    except UnsupportedAlgorithm as error:
        raise ValueError("its algorithm is not supported") from error
    except ValueError as error:
        known = str(error).startswith("its ")
        raise ValueError(str(error) if known else "it is not a public key") from error


def supported_public_key(key: object) -> PublicKey:
    """Return ``key`` where it is of a supported kind; else raise ``ValueError``."""
    if isinstance(key, ed25519.Ed25519PublicKey | mldsa.MLDSA65PublicKey):
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return key
    raise ValueError("its kind is not supported")


def fingerprint(key: PublicKey) -> str:
    """Return ``SHA256:`` and the hex SHA-256 of the key's DER SubjectPublicKeyInfo (RFC 5280, section 4.1)."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return "SHA256:" + hashlib.sha256(der).hexdigest()


def oms_hint(key: PublicKey) -> str:
    """Return the hint that the reference tool of OMS writes: hex SHA-256 over the re-encoded SPKI PEM text."""
    return hashlib.sha256(_public_pem(key)).hexdigest()


def _public_pem(key: PublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def read_key_file(path: Path) -> bytes:
    """Read a small file of keys or certificates, bounded; raises ``UsageError``."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(MAX_KEY_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from error
    if len(data) > MAX_KEY_BYTES:
        raise UsageError(f"{path} is too large for a file of keys or certificates")
    return data
