"""The verb ``aggregate``: verify the updates of a round, combine those that count, and sign the result."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

import msgspec

from policies import Finding, finding
from policies.findings import outcome
from provenance.aggregation.rounds.admission import Admission, Wanted, admit
from provenance.aggregation.rounds.ahead import Attempt, try_ahead
from provenance.aggregation.rounds.bundles import round_bundles
from provenance.aggregation.rounds.claims import Rejected, RoundName
from provenance.aggregation.rounds.computing import Recipe, compute
from provenance.aggregation.rounds.engine import HERE, Engine
from provenance.aggregation.rounds.evidence import keep_evidence
from provenance.aggregation.rounds.folder import open_base, opened_updates
from provenance.aggregation.rounds.members import AnyKey, entitlement, open_roster, voting_right
from provenance.aggregation.rounds.output import read_tensors
from provenance.aggregation.rounds.proving import prove_claims
from provenance.aggregation.rounds.result import Accepted, Computed, Round, with_coefficients
from provenance.aggregation.rounds.sealing import piece_digest
from provenance.aggregation.rounds.statement import round_statement
from provenance.attestations.subjects import artifact_name, file_subject
from provenance.errors import UsageError
from provenance.lineage.statements import write_statement
from provenance.signing.keys import PrivateKey
from provenance.signing.sign import sign_measured
from provenance.signing.signers import open_key
from provenance.signing.statements import keyring
from provenance.trust.roster import VerifiedRoster

__all__ = ["Members", "admitted", "aggregate", "as_rejections", "parse_round"]

AnyPath = str | PathLike[str]


class Members(msgspec.Struct, frozen=True):
    """The verified roster, and what is to be said of it."""

    roster: VerifiedRoster
    findings: tuple[Finding, ...]


def aggregate(  # noqa: PLR0913 (the options of the command)
    updates: AnyPath,
    *,
    roster: AnyPath,
    rule: str,
    faulty: int,
    roster_keys: AnyKey | Iterable[AnyKey] = (),
    round: str | None = None,  # noqa: A002 (the name of the option)
    base: AnyPath | None = None,
    pre: Sequence[str] = (),
    parameters: Mapping[str, Any] | None = None,
    output: AnyPath | None = None,
    key: AnyPath | PrivateKey | None = None,
    password: str | bytes | None = None,
    max_norm: float = math.inf,
    threads: int | None = None,
    observe: bool = False,
    now: datetime | None = None,
    engine: Engine = HERE,
) -> Round:
    """Combine the verified updates of a folder by a rule that tolerates ``faulty`` contributors of any behaviour.

    ``round`` is ``TASK@N`` and ``base`` the model that the updates start from; where one is not given, what more than
    half of the contributors signed is taken. ``roster_keys`` are the maintainers' public keys. The result goes to
    ``output`` with the base model's dtypes (else it is in ``.tensors``); with ``key`` it is signed, and so is a
    statement from which the round can be recomputed. ``observe`` measures how far the updates lie apart also where that
    takes a pass more. Returns a ``Round`` whatever the verdict; raises ``UsageError`` for wrong arguments, and what
    ``load_roster`` raises.
    """
    wanted_round = parse_round(round) if round is not None else None
    signer = open_key(_path(key), password) if key is not None else None
    if signer is not None and output is None:
        raise UsageError("a result can only be signed where it is written", hint="name a file with -o")
    recipe = Recipe(rule, faulty, tuple(pre), dict(parameters or {}))
    keys = _keys(roster_keys) or ((signer.public_key(),) if signer is not None else ())
    members = Members(*open_roster(roster, keys))
    directory, moment = Path(updates), now or datetime.now(UTC)
    with (
        _target(output) as target,
        admitted(
            directory,
            members.roster,
            wanted_round,
            base,
            max_norm=max_norm,
            now=moment,
            engine=engine,
            attempt=Attempt(recipe, target, threads, observe),
        ) as admission,
    ):
        result = _judged(admission, members, recipe)
        if result.decision != "accepted":
            return result
        rights = _rights(result.accepted)
        computed = compute(admission, recipe, rights, target, threads=threads, observe=observe, engine=engine)
        result = _with_result(result, computed, target, keep=output is not None)
    if output is not None:
        keep_evidence(Path(output), admission.equivocations)
    if signer is not None and output is not None:
        result = _signed(result, computed, signer, members.roster, admission)
    return result


@contextmanager
def admitted(  # noqa: PLR0913 (what is given and what is asked for)
    directory: Path,
    roster: VerifiedRoster,
    wanted: RoundName | None,
    base: AnyPath | None,
    *,
    base_digest: str = "",
    max_norm: float = math.inf,
    now: datetime,
    engine: Engine = HERE,
    attempt: Attempt | None = None,
) -> Iterator[Admission]:
    """Verify the updates of a folder and keep them open; the ``attempt`` is computed ahead where it can be."""
    with ExitStack() as stack:
        tag = piece_digest if engine.examine is not None else None
        given = stack.enter_context(open_base(Path(base), tag)) if base is not None else None
        ring = keyring(roster.roster.trust())
        proven = prove_claims(round_bundles(directory), ring, entitlement(roster, now), root=directory)
        asked = Wanted(round=wanted, base=given, base_digest=base_digest, max_norm=max_norm)
        together = None
        if attempt is not None and engine == HERE:
            together = partial(
                try_ahead,
                stack=stack,
                claims=proven.claims,
                wanted=asked,
                right=partial(voting_right, roster),
                attempt=attempt,
            )
        folder = stack.enter_context(opened_updates(directory, engine.examine, together))
        yield admit(folder, proven, asked)


def parse_round(text: str) -> RoundName:
    """Read ``TASK@N``; raises ``UsageError``."""
    task, _, number = text.rpartition("@")
    if not task or not (number.isascii() and number.isdigit() and len(number) < 11):
        raise UsageError(f"{text[:100]} is no round", hint="write it as TASK@N, such as digits@12")
    return RoundName(task, int(number))


def _judged(admission: Admission, members: Members, recipe: Recipe) -> Round:
    """Say who takes part and whether the rule's conditions hold for so many."""
    accepted = tuple(
        Accepted(
            contributor=claim.contributor,
            path=update.name,
            digest=claim.digest,
            statement=claim.statement,
            key=claim.fingerprint,
            voting_right=voting_right(members.roster, claim.contributor),
        )
        for claim, update in zip(admission.claims, admission.updates, strict=True)
    )
    guaranteed, broken = (
        recipe.guarantee(len(accepted), _rights(accepted)) if not admission.findings else (None, ())
    )
    found = (
        *members.findings,
        *as_rejections(admission.rejected),
        *admission.findings,
        *broken,
        *recipe.needs_base(admission, broken),
    )
    return Round(
        decision=outcome(found),
        findings=found,
        round=str(admission.round or ""),
        rule=recipe.rule,
        faulty=recipe.faulty,
        pre=recipe.pre,
        parameters=recipe.parameters,
        form=admission.form,
        base=admission.base_digest,
        accepted=accepted,
        rejected=admission.rejected,
        guarantee=guaranteed,
        checked_bytes=sum(update.size for update in admission.updates),
    )


def as_rejections(rejected: Iterable[Rejected]) -> tuple[Finding, ...]:
    """Turn updates that do not count into warnings: a round that still meets its conditions stands without them."""
    return tuple(
        finding(each.rule, each.message, path=each.path, where=each.contributor, severity="warning")
        for each in rejected
    )


def _rights(accepted: Iterable[Accepted]) -> tuple[float, ...]:
    return tuple(each.voting_right for each in accepted)


@contextmanager
def _target(output: AnyPath | None) -> Iterator[Path]:
    """Where the result is written: the file that was asked for, or one that is gone once it was read."""
    if output is not None:
        yield Path(output)
        return
    with tempfile.TemporaryDirectory(prefix="provenance-") as directory:
        yield Path(directory) / "result.safetensors"


def _with_result(result: Round, computed: Computed, target: Path, *, keep: bool) -> Round:
    return msgspec.structs.replace(
        result,
        accepted=with_coefficients(result.accepted, computed),
        diameter=computed.diameter,
        heterogeneity=computed.heterogeneity,
        weighing=computed.weighing,
        digest=computed.digest,
        output=target if keep else None,
        tensors=None if keep else read_tensors(target),
    )


def _signed(
    result: Round, computed: Computed, key: PrivateKey, roster: VerifiedRoster, admission: Admission
) -> Round:
    """Sign the result as a model, and the statement of how it came about."""
    output = result.output
    assert admission.round is not None
    assert output is not None
    sign_measured(output, computed.measured, key=key)
    subject = file_subject(artifact_name(output), computed.measured.digest)
    statement = round_statement(
        subject,
        result,
        task=admission.round.task,
        number=admission.round.number,
        roster=roster,
        base_name=Path(admission.base.name).name if admission.base is not None else "",
        max_norm=admission.max_norm,
    )
    place = write_statement(statement, signer=key, artifact=output, kind="aggregate")
    return msgspec.structs.replace(result, statement=place)


def _path(key: AnyPath | PrivateKey) -> Path | PrivateKey:
    return Path(key) if isinstance(key, str | PathLike) else key


def _keys(given: AnyKey | Iterable[AnyKey]) -> tuple[AnyKey, ...]:
    if isinstance(given, Iterable) and not isinstance(given, str | PathLike):
        return tuple(given)
    return (given,)
