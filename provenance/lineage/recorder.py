"""The verb ``recorder``: notes what training used while it runs, and signs that once it has ended well."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any

from provenance.attestations.slsa import DerivationKind
from provenance.attestations.statement import Subject
from provenance.errors import UsageError
from provenance.lineage.attest import DigestedInput, attest_digested, json_values
from provenance.lineage.observing import observing
from provenance.lineage.references import reference_to
from provenance.lineage.subjects import subject_of
from provenance.signing.keys import PrivateKey
from provenance.signing.signers import open_key

__all__ = ["Recorder", "recorder"]

AnyPath = str | PathLike[str]


class Recorder:
    """What is noted of one run: inputs by their digests, parameters, and, once it is signed, the ``bundle``."""

    def __init__(self) -> None:
        self._inputs: dict[tuple[str, str], DigestedInput] = {}
        self.parameters: dict[str, Any] = {}
        self.bundle: Path | None = None

    @property
    def inputs(self) -> tuple[DigestedInput, ...]:
        """The inputs noted so far, in their order, each once."""
        return tuple(self._inputs.values())

    def input(self, path: AnyPath, *, role: str) -> Subject:
        """Note an input and digest it now, as it is; raises as ``attest`` does."""
        return self._note(subject_of(path), role)

    def parameter(self, name: str, value: Any) -> None:
        """Note a parameter, any JSON value; raises ``UsageError`` for another one."""
        self.parameters |= json_values({name: value})

    def loaded(self, subject: Subject) -> None:
        """Note an artifact that was verified and loaded, unless it was named as an input already."""
        if not any(node == _node(subject) for _, node in self._inputs):
            self._note(subject, "loaded")

    def _note(self, subject: Subject, role: str) -> Subject:
        self._inputs.pop(("loaded", _node(subject)), None)
        self._inputs[role, _node(subject)] = DigestedInput(role, subject)
        return subject


def _node(subject: Subject) -> str:
    """What tells an artifact from others: directories of the same bytes under other names are others."""
    return reference_to(subject, ours=True).node


@contextmanager
def recorder(
    output: AnyPath,
    *,
    key: AnyPath | PrivateKey,
    kind: DerivationKind = "train",
    password: str | bytes | None = None,
    parameters: dict[str, Any] | None = None,
    code: AnyPath | None = ".",
) -> Iterator[Recorder]:
    """Note what the block uses, and sign that ``output`` was made from it when the block ends without an exception.

    Inputs are what ``Recorder.input`` names and whatever ``load``, ``open_tensors`` and ``sealed`` hand out meanwhile
    (in this thread, or one that runs in a copy of this context). The key is opened first, so that a wrong password
    shows before the work. Raises ``UsageError`` where there is no input, and as ``attest`` does.
    """
    private = open_key(Path(key) if isinstance(key, str | PathLike) else key, password)
    started = datetime.now(UTC).replace(microsecond=0)
    record = Recorder()
    record.parameters |= json_values(parameters or {})
    with observing(record.loaded):
        yield record
    path = Path(output)
    if not record.inputs:
        raise UsageError(
            "the recorder noted no input", hint='name each: record.input("data.jsonl", role="dataset")'
        )
    record.bundle = attest_digested(
        path,
        subject_of(path),
        kind=kind,
        inputs=record.inputs,
        key=private,
        parameters=record.parameters,
        code=code,
        started=started,
    )
