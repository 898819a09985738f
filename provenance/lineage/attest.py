"""The verb ``attest``: sign what something was made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from provenance.artifacts.reading import Progress
from provenance.attestations.slsa import (
    DERIVATION_KINDS,
    DerivationKind,
    ResourceDescriptor,
    derivation,
    input_descriptor,
    provenance_statement,
)
from provenance.attestations.statement import Subject
from provenance.errors import UsageError
from provenance.lineage.curating import Curated, curate
from provenance.lineage.statements import statement_path, write_statement
from provenance.lineage.subjects import subject_of
from provenance.lineage.surroundings import code_commit, environment
from provenance.signing.keys import PrivateKey, fingerprint
from provenance.signing.signers import open_key

__all__ = ["AnyInputs", "DigestedInput", "attest", "attest_digested", "input_pairs", "json_values"]

AnyPath = str | PathLike[str]
AnyInputs = Mapping[str, AnyPath | Iterable[AnyPath]] | Iterable[tuple[str, AnyPath]]

_LONGEST_ROLE = 100


class DigestedInput(NamedTuple):
    """An input whose digests are known already, with the role that it had."""

    role: str
    subject: Subject


def attest(  # noqa: PLR0913 (the options of the command)
    path: AnyPath,
    *,
    kind: DerivationKind,
    inputs: AnyInputs,
    key: AnyPath | PrivateKey,
    parameters: Mapping[str, Any] | None = None,
    password: str | bytes | None = None,
    code: AnyPath | None = ".",
    output: AnyPath | None = None,
    progress: Progress | None = None,
) -> Path:
    """Sign a statement that ``path`` was made from ``inputs``, and return the path of the bundle.

    ``inputs`` maps roles to paths, or lists pairs of role and path; every one is digested now, as it is. ``parameters``
    are JSON values. ``code`` is a directory whose git commit is recorded, None for none. For ``kind="curate"`` the
    records of the output are matched to those of the inputs, and a sidecar ``.origins`` is written beside the bundle.

    Raises ``UsageError`` for wrong arguments, ``Refused`` or ``Undecided`` for files that cannot be signed or read.
    """
    path, private = Path(path), open_key(Path(key) if isinstance(key, str | PathLike) else key, password)
    pairs = input_pairs(inputs)
    curated = curate(path, [place for _, place in pairs], progress=progress) if kind == "curate" else None
    if curated is not None:
        subjects, subject = curated.inputs, curated.output
    else:
        subjects = tuple(subject_of(place, progress=progress) for _, place in pairs)
        subject = subject_of(path, progress=progress)
    digested = [DigestedInput(role, each) for (role, _), each in zip(pairs, subjects, strict=True)]
    return attest_digested(
        path,
        subject,
        kind=kind,
        inputs=digested,
        key=private,
        parameters=parameters,
        code=code,
        output=output,
        curated=curated,
    )


def attest_digested(  # noqa: PLR0913 (as above)
    path: Path,
    subject: Subject,
    *,
    kind: DerivationKind,
    inputs: Sequence[DigestedInput],
    key: PrivateKey,
    parameters: Mapping[str, Any] | None = None,
    code: AnyPath | None = ".",
    output: AnyPath | None = None,
    curated: Curated | None = None,
    started: datetime | None = None,
) -> Path:
    """Sign what ``attest`` signs, of inputs and an output whose digests are known already."""
    if kind not in DERIVATION_KINDS:
        raise UsageError(f"there is no kind {kind}", hint=f"choose one of {', '.join(DERIVATION_KINDS)}")
    if not inputs:
        raise UsageError(
            "nothing is named that it was made from", hint="name each input with --input ROLE=PATH"
        )
    internal: dict[str, Any] = {"environment": environment()}
    commit = code_commit(Path(code)) if code is not None else ""
    if commit:
        internal["code"] = {"digest": {"gitCommit": commit}}
    if curated is not None and curated.counts:
        internal["records"] = curated.counts
    predicate = derivation(
        kind,
        inputs=[input_descriptor(each.subject, _role(each.role)) for each in inputs],
        parameters=json_values(parameters or {}),
        internal=internal,
        byproducts=_byproducts(curated),
        started=started,
        finished=datetime.now(UTC).replace(microsecond=0),
    )
    statement = provenance_statement([subject], predicate)
    if curated is not None and curated.origins:
        place = (
            Path(output) if output is not None else statement_path(path, kind, fingerprint(key.public_key()))
        )
        curated.write(place)
    return write_statement(statement, signer=key, artifact=path, kind=kind, output=output)


def json_values(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as JSON has them; raises ``UsageError`` for a value that it has not."""
    try:
        values: dict[str, Any] = msgspec.to_builtins(dict(parameters))
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(
            f"a parameter is no JSON value: {error}", hint="turn it into a number, text, list or dictionary"
        ) from error
    return values


def input_pairs(inputs: AnyInputs) -> list[tuple[str, Path]]:
    """Return inputs in either form as pairs of role and path."""
    if not isinstance(inputs, Mapping):
        return [(role, Path(path)) for role, path in inputs]
    found: list[tuple[str, Path]] = []
    for role, paths in inputs.items():
        several = [paths] if isinstance(paths, str | PathLike) else paths
        found.extend((role, Path(path)) for path in several)
    return found


def _role(role: str) -> str:
    if not role.strip() or len(role) > _LONGEST_ROLE or not role.isprintable():
        raise UsageError(f"{role!r} is no role of an input", hint="for example dataset, base or evaluation")
    return role


def _byproducts(curated: Curated | None) -> list[ResourceDescriptor]:
    if curated is None or not curated.origins:
        return []
    return [
        ResourceDescriptor(
            name="origins", digest={"sha256": curated.origins_digest}, annotations={"role": "origins"}
        )
    ]
