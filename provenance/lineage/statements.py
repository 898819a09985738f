"""Where statements about an artifact are written, and how one of them is opened."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Literal

from cryptography import x509

from provenance.artifacts.atomic import write_atomically
from provenance.artifacts.names import ATTESTATION_DIRECTORY
from provenance.attestations.bundle import (
    CertificateChain,
    KeyMaterial,
    SigstoreMaterial,
    parse_bundle,
)
from provenance.attestations.statement import Statement
from provenance.errors import UsageError
from provenance.signing.keys import PrivateKey, fingerprint, supported_public_key
from provenance.signing.signers import PayloadSigner
from provenance.signing.statements import (
    Keyring,
    SignedStatement,
    UnverifiedStatement,
    keyring,
    open_statement,
    read_statement,
    sign_statement,
    trust_of_keys,
    verify_statement,
)

__all__ = [
    "Keyring",
    "SignedStatement",
    "StatementKind",
    "UnverifiedStatement",
    "attestation_directory",
    "keyring",
    "leaves_path",
    "make_attestation_directory",
    "open_statement",
    "read_statement",
    "statement_path",
    "trust_of_keys",
    "verify_statement",
    "write_statement",
]

StatementKind = Literal[
    "contribution", "train", "fine-tune", "merge", "curate", "convert", "aggregate", "revocation"
]

_SUFFIX = ".sigstore.json"


def attestation_directory(artifact: Path) -> Path:
    """Return the ``.provenance/`` directory of an artifact: in a directory, or beside a file."""
    return (artifact if artifact.is_dir() else artifact.parent) / ATTESTATION_DIRECTORY


def statement_path(artifact: Path, kind: StatementKind, fingerprint_: str) -> Path:
    """Return where the statement of a kind by a key is written: signing again replaces one's own and no other's."""
    name = artifact.resolve().name or "artifact"
    hexadecimal = fingerprint_.removeprefix("SHA256:")
    return attestation_directory(artifact) / f"{name}.{kind}.{hexadecimal[:12]}{_SUFFIX}"


def leaves_path(bundle: Path) -> Path:
    """Return where the leaves of the records lie that a bundle speaks of."""
    return bundle.with_name(bundle.name.removesuffix(_SUFFIX) + ".leaves")


def write_statement(
    statement: Statement,
    *,
    signer: PrivateKey | PayloadSigner,
    artifact: str | PathLike[str],
    kind: StatementKind,
    output: str | PathLike[str] | None = None,
) -> Path:
    """Sign a statement about an artifact, write the bundle whole or not at all, and return its path.

    It is ``output`` or has its place in ``.provenance/`` (see ``statement_path``). Raises ``UsageError`` where it
    cannot be written.
    """
    bundle = sign_statement(statement, signer)
    by = _signer_fingerprint(bundle) if callable(signer) else fingerprint(signer.public_key())
    target = Path(output) if output is not None else statement_path(Path(artifact), kind, by)
    make_attestation_directory(target.parent)
    try:
        write_atomically(target, bundle)
    except OSError as error:
        raise UsageError(f"cannot write {target}: {(error.strerror or str(error)).lower()}") from error
    return target


def make_attestation_directory(directory: Path) -> None:
    """Make the directory that a statement is written to; raises ``UsageError`` for a linked ``.provenance/``."""
    if directory.name == ATTESTATION_DIRECTORY and directory.is_symlink():  # readers do not follow it either
        raise UsageError(f"cannot write to {directory}: it is a symbolic link")
    try:
        directory.mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write {directory}: {(error.strerror or str(error)).lower()}") from error


def _signer_fingerprint(data: bytes) -> str:
    """Return the fingerprint of the certified key in a bundle of ours, or else the hint of its key."""
    material = parse_bundle(data).material
    if isinstance(material, KeyMaterial):
        return material.hint
    assert isinstance(material, CertificateChain | SigstoreMaterial)
    der = material.certificates[0] if isinstance(material, CertificateChain) else material.certificate
    return fingerprint(supported_public_key(x509.load_der_x509_certificate(der).public_key()))
