"""The verb ``contribute``: a contributor signs a batch of records, or an update of a model for one round."""

from __future__ import annotations

import re
from contextlib import ExitStack
from datetime import UTC, date, datetime
from hashlib import sha256
from os import PathLike
from pathlib import Path
from typing import Final, NamedTuple

from provenance.artifacts.atomic import open_atomically
from provenance.artifacts.reading import Progress
from provenance.artifacts.records.cutting import CUT_FORMATS, CutFormat
from provenance.artifacts.records.reading import read_records
from provenance.attestations.contribution import (
    LEAF_RULES,
    MAX_RECORDS,
    TREE_ALGORITHM,
    Base,
    Contribution,
    Records,
    Update,
    UpdateForm,
    contribution_statement,
)
from provenance.attestations.statement import Subject
from provenance.errors import UsageError
from provenance.lineage.record_checks import records_subject
from provenance.lineage.record_salts import making_salts, salts_path
from provenance.lineage.statements import (
    leaves_path,
    make_attestation_directory,
    statement_path,
    write_statement,
)
from provenance.lineage.subjects import subject_of
from provenance.lineage.updates import require_safetensors
from provenance.signing.keys import PrivateKey, fingerprint
from provenance.signing.signers import PayloadSigner, open_key, sigstore_signer

__all__ = ["contribute", "parse_round"]

AnyPath = str | PathLike[str]
_ROUND: Final = re.compile(r"([^@]+)@([0-9]{1,10})")
_DIGEST: Final = re.compile(r"sha256:([0-9a-f]{64})")


def contribute(  # noqa: PLR0913 (the options of the command)
    path: AnyPath,
    *,
    contributor: str,
    key: AnyPath | PrivateKey | None = None,
    password: str | bytes | None = None,
    sigstore: bool = False,
    identity_token: str | None = None,
    trust_config: AnyPath | None = None,
    records: CutFormat | None = None,
    round: str | None = None,  # noqa: A002 (the option's name)
    base: AnyPath | None = None,
    update: UpdateForm | None = None,
    claimed_weight: float | None = None,
    licence: str | None = None,
    consent: str | None = None,
    collected_from: date | str | None = None,
    collected_until: date | str | None = None,
    generation: str | None = None,
    salted: bool = False,
    salts: AnyPath | None = None,
    leaves: bool = False,
    output: AnyPath | None = None,
    now: datetime | None = None,
    progress: Progress | None = None,
) -> Path:
    """Sign what a contributor gives and return the bundle's path (in ``.provenance/`` unless ``output`` is given).

    ``path`` is a batch of records, cut by the rule of the format ``records`` (``jsonl``, ``csv``, ``parquet`` or
    ``webdataset``; each file a record where none is named), or, with ``round`` (``TASK@N``) and ``base`` (the model it
    starts from, or ``sha256:`` and its root digest), a safetensors update: ``weights`` (the default) or a ``delta``.
    ``salted`` puts 16 random bytes before each record, which stay in ``salts`` (``<path>.salts`` by default);
    ``leaves`` writes the leaves beside the bundle, 32 bytes a record. ``claimed_weight`` has no effect. The ``key``
    signs, or ``sigstore``, which adds a trusted time: what lies before a later revocation then stands.

    Raises ``UsageError`` for options that do not fit together or values beyond their bounds, ``Malformed`` (CON016)
    for records that cannot be cut without doubt, ``Refused`` or ``Undecided`` for files that cannot be read.
    """
    path = Path(path)
    if round is None and (base is not None or update is not None or claimed_weight is not None):
        raise UsageError(
            "a base, a form and a weight are of an update", hint="name its round with --round TASK@N"
        )
    if round is not None and (records is not None or salted or leaves or salts is not None):
        raise UsageError("an update has no records", hint="sign it with --round, or a batch with --records")
    signer, name = _signer(contributor, key, password, sigstore, identity_token, trust_config)
    bundle = Path(output) if output is not None else statement_path(path, "contribution", name)
    if round is not None:
        given = _update(path, round, base, update or "weights", claimed_weight, progress)
    else:
        given = _records(path, records, _Sidecars(bundle, leaves, salted, salts), progress)
    contribution = Contribution(
        contributor=contributor,
        kind="records" if given.records is not None else "update",
        created_at=(now or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0),
        records=given.records,
        update=given.update,
        licence=licence,
        consent=consent,
        collected_from=_day(collected_from),
        collected_until=_day(collected_until),
        generation=generation,
    )
    statement = contribution_statement(given.subject, contribution)
    return write_statement(statement, signer=signer, artifact=path, kind="contribution", output=bundle)


def _signer(
    contributor: str,
    key: AnyPath | PrivateKey | None,
    password: str | bytes | None,
    sigstore: bool,  # noqa: FBT001
    identity_token: str | None,
    trust_config: AnyPath | None,
) -> tuple[PrivateKey | PayloadSigner, str]:
    """Return what signs, and what names the bundle: the key, or, where it lives for minutes, the contributor."""
    if (key is None) == (not sigstore):
        raise UsageError("give one thing to sign with", hint="--key KEY or --sigstore")
    if key is not None:
        private = open_key(Path(key) if isinstance(key, str | PathLike) else key, password)
        return private, fingerprint(private.public_key())
    config = Path(trust_config) if trust_config is not None else None
    signer = sigstore_signer(identity_token=identity_token, trust_config=config)
    return signer, sha256(contributor.encode()).hexdigest()


def parse_round(text: str) -> tuple[str, int]:
    """Read ``TASK@N``; raises ``UsageError``."""
    match = _ROUND.fullmatch(text)
    if match is None:
        raise UsageError(f"{text} is no round", hint="write TASK@N, such as digits@12")
    return match[1], int(match[2])


class _Given(NamedTuple):
    subject: Subject
    records: Records | None = None
    update: Update | None = None


class _Sidecars(NamedTuple):
    bundle: Path
    leaves: bool
    salted: bool
    salts: AnyPath | None


def _records(path: Path, chosen: CutFormat | None, sidecars: _Sidecars, progress: Progress | None) -> _Given:
    if chosen is not None and chosen not in CUT_FORMATS:
        raise UsageError(f"{chosen} is no format of records", hint=f"one of {', '.join(CUT_FORMATS)}")
    if sidecars.salts is not None and not sidecars.salted:
        raise UsageError("a file of salts is for salted records", hint="add --salted")
    with ExitStack() as stack:
        salts = keep = None
        if sidecars.salted:
            place = Path(sidecars.salts) if sidecars.salts is not None else salts_path(path)
            salts = stack.enter_context(making_salts(place))
        if sidecars.leaves:
            place = leaves_path(sidecars.bundle)
            make_attestation_directory(place.parent)
            keep = stack.enter_context(open_atomically(place)).write
        found = read_records(path, chosen, salts=salts, keep=keep, most=MAX_RECORDS, progress=progress)
    record_format = chosen or "files"
    described = Records(
        format=record_format,
        leaf_rule=LEAF_RULES[record_format],
        tree_algorithm=TREE_ALGORITHM,
        count=found.count,
        merkle_root=found.root.hex(),
        salted=sidecars.salted,
        header=found.header,
        schema_digest=found.schema_digest,
    )
    return _Given(records_subject(path, found), records=described)


def _update(
    path: Path,
    round_: str,
    base: AnyPath | None,
    form: UpdateForm,
    claimed_weight: float | None,
    progress: Progress | None,
) -> _Given:
    task, number = parse_round(round_)
    if base is None:
        raise UsageError("an update needs the model that it starts from", hint="name it with --base")
    require_safetensors(path)
    described = Update(
        task=task, round=number, base=Base(_base_digest(base)), form=form, claimed_weight=claimed_weight
    )
    return _Given(subject_of(path, progress=progress), update=described)


def _base_digest(base: AnyPath) -> str:
    match = _DIGEST.fullmatch(base) if isinstance(base, str) else None
    return match[1] if match is not None else subject_of(base).digest["sha256"]


def _day(value: date | str | None) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise UsageError(f"{value} is no day", hint="write 2026-11-24") from None
