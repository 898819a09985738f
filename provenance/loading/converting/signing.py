"""What a conversion with a key leaves behind: a signature of the result, and a statement of what it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from provenance.attestations.slsa import derivation, input_descriptor, provenance_statement
from provenance.attestations.subjects import artifact_name, file_subject
from provenance.lineage.statements import write_statement
from provenance.lineage.subjects import subject_of
from provenance.signing.keys import PrivateKey
from provenance.signing.sign import sign

__all__ = ["sign_conversion"]

_DISTRIBUTION = "ml-provenance"


def sign_conversion(
    key: PrivateKey, target: Path, source: Path, sha256: bytes, parameters: Mapping[str, Any]
) -> tuple[Path, Path]:
    """Sign ``target``, and a `convert` statement that names the source by the digest of the bytes that were read.

    Returns the paths of the two bundles.
    """
    signature = sign(target, key=key)
    made = derivation(
        "convert",
        inputs=[input_descriptor(file_subject(artifact_name(source), sha256), "source")],
        parameters=parameters,
        versions={_DISTRIBUTION: version(_DISTRIBUTION)},
    )
    statement = provenance_statement([subject_of(target)], made)
    return signature, write_statement(statement, signer=key, artifact=target, kind="convert")
