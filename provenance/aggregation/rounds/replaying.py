"""The verb ``replay``: recompute a round from its statement and its updates, and compare every bit."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path

from policies import Finding, finding
from policies.findings import outcome
from provenance.aggregation.rounds.admission import Admission
from provenance.aggregation.rounds.ahead import Attempt
from provenance.aggregation.rounds.claims import Rejected, RoundName
from provenance.aggregation.rounds.comparing import coefficient_differences, first_difference
from provenance.aggregation.rounds.computing import Recipe, compute
from provenance.aggregation.rounds.engine import HERE, Engine
from provenance.aggregation.rounds.members import AnyKey, open_roster, voting_right
from provenance.aggregation.rounds.result import Accepted, Computed, Replay, with_coefficients
from provenance.aggregation.rounds.round import admitted
from provenance.aggregation.rounds.statement import METHOD_VERSION, Recorded, read_round_statement
from provenance.attestations.discovery import BundleSource, stored_bundles
from provenance.attestations.types import SLSA_PREDICATE_TYPE
from provenance.errors import ProvenanceError, UsageError
from provenance.lineage.statements import attestation_directory
from provenance.lineage.subjects import subject_of
from provenance.signing.statements import read_statement, trust_of_keys, verify_statement
from provenance.trust.roster import VerifiedRoster

__all__ = ["replay"]

AnyPath = str | PathLike[str]


def replay(  # noqa: PLR0913 (the options of the command)
    result: AnyPath,
    *,
    updates: AnyPath,
    roster: AnyPath,
    roster_keys: Iterable[AnyKey] = (),
    keys: Iterable[AnyKey] = (),
    base: AnyPath | None = None,
    store: Iterable[AnyPath] = (),
    threads: int | None = None,
    now: datetime | None = None,
    engine: Engine = HERE,
) -> Replay:
    """Recompute the result of a round and refuse it where it is not what the verified updates give.

    The round's statement is looked for in ``.provenance/`` beside the result and in ``store``; ``keys`` are those
    accepted to sign it (any where none is given, which a warning says). A valid update of the folder that the
    statement leaves out refuses too. Returns a ``Replay`` whatever the verdict; raises ``UsageError`` and what
    ``load_roster`` raises.
    """
    path, keys = Path(result), tuple(keys)
    if not path.is_file():
        raise UsageError(f"there is no file {path}")
    verified, about_roster = open_roster(roster, tuple(roster_keys) or keys)
    digest = subject_of(path).digest["sha256"]
    found = _statement(path, digest, keys, tuple(Path(each) for each in store))
    if not isinstance(found, tuple):
        return _verdict((*about_roster, found), digest=digest)
    recorded, signer, about_statement = found
    name = RoundName(recorded.task, recorded.number)
    moment = now or datetime.now(UTC)
    with (
        tempfile.TemporaryDirectory(prefix="provenance-") as temporary,
        admitted(
            Path(updates),
            verified,
            name,
            base,
            base_digest=recorded.base,
            max_norm=recorded.max_norm,
            now=moment,
            engine=engine,
            attempt=_attempt(recorded, target := Path(temporary) / "result.safetensors", threads),
        ) as admission,
    ):
        size = sum(update.size for update in admission.updates)
        judged = [*about_roster, *about_statement, *_compare(recorded, admission, verified)]
        computed, accepted = None, recorded.accepted
        if outcome(judged) == "accepted":
            computed, accepted, told = _again(recorded, admission, (path, digest), target, threads, engine)
            judged += told
    return _verdict(
        judged,
        round=str(name),
        rule=recorded.rule,
        digest=digest,
        recomputed=computed.digest if computed is not None else "",
        signer=signer,
        weighing=computed.weighing if computed is not None else recorded.weighing,
        accepted=accepted,
        rejected=admission.rejected,
        checked_bytes=size,
    )


def _verdict(findings: Sequence[Finding], **members: object) -> Replay:
    return Replay(decision=outcome(list(findings)), findings=tuple(findings), **members)  # type: ignore[arg-type]


def _statement(
    path: Path, digest: str, keys: tuple[AnyKey, ...], stores: tuple[Path, ...]
) -> tuple[Recorded, str, tuple[Finding, ...]] | Finding:
    """Find the statement of the round: the one about this digest, else the one that lies under the result's name."""
    trust = trust_of_keys(keys)
    about: list[tuple[Recorded, str, str]] = []
    for source in _sources(path, stores):
        try:
            unverified = read_statement(source)
            if unverified.statement.predicate_type != SLSA_PREDICATE_TYPE:
                continue
            recorded = read_round_statement(unverified.statement)
            signer = verify_statement(unverified, trust).signer.fingerprint if keys else ""
        except ProvenanceError:
            continue  # by somebody else, or broken: it says nothing of this round
        named = unverified.statement.subject[0].name == path.name
        if recorded is not None and (recorded.digest == digest or named):
            about.append((recorded, signer, source.where))
    about.sort(key=lambda each: each[0].digest != digest)
    if not about:
        return finding(
            "AGG019", "no statement about this result was found that an accepted key signed", path=str(path)
        )
    recorded, signer, where = about[0]
    notes: list[Finding] = []
    if not keys:
        said = "no key was named, so it is not known who states the round; it is recomputed all the same"
        notes.append(finding("AGG019", said, path=where, severity="warning"))
    return recorded, signer, tuple(notes)


def _sources(path: Path, stores: tuple[Path, ...]) -> Iterator[BundleSource]:
    yield from stored_bundles(attestation_directory(path))
    for store in stores:
        yield from stored_bundles(store)
        yield from stored_bundles(store / ".provenance")


def _compare(recorded: Recorded, admission: Admission, roster: VerifiedRoster) -> Iterator[Finding]:
    """Hold the updates that the statement names against those that count by the roster and the folder."""
    if recorded.method != METHOD_VERSION:
        yield finding(
            "AGG018", f"the round was computed by method {recorded.method[:20]}, this is {METHOD_VERSION}"
        )
    theirs = {(each.contributor, each.digest): each for each in recorded.accepted}
    ours = {
        (claim.contributor, claim.digest): update.name
        for claim, update in zip(admission.claims, admission.updates, strict=True)
    }
    there = {update.digest: update for update in admission.rejected if update.digest}
    for identity, each in theirs.items():
        if identity not in ours:
            yield _not_ours(each, there)
        elif each.voting_right != (right := voting_right(roster, each.contributor)):
            said = (
                f"it was counted with the voting right {each.voting_right:g}, and the roster says {right:g}"
            )
            yield finding("AGG020", said, path=each.path, where=each.contributor)
    if len(theirs) != len(recorded.accepted):
        yield finding("AGG020", "the statement names an update twice")
    for contributor, digest in sorted(ours.keys() - theirs.keys()):
        yield finding(
            "AGG017",
            f"the round left out the valid update of {contributor}",
            path=ours[contributor, digest],
            where=contributor,
        )


def _not_ours(each: Accepted, rejected: Mapping[str, Rejected]) -> Finding:
    reason = rejected.get(each.digest)
    if reason is None or reason.rule == "AGG012":
        return finding(
            "AGG018",
            f"the update of {each.contributor} is not in the folder",
            path=each.path,
            where=each.contributor,
            notes=(f"sha256:{each.digest}",),
        )
    said = f"the update of {each.contributor} was used and does not count: {reason.message}"
    return finding("AGG020", said, path=each.path, where=each.contributor)


def _in_order(recorded: Recorded, admission: Admission) -> tuple[Accepted, ...]:
    """Give what the statement says of the updates in their order here: its own order decides nothing."""
    told = {(each.contributor, each.digest): each for each in recorded.accepted}
    return tuple(told[claim.contributor, claim.digest] for claim in admission.claims)


def _attempt(recorded: Recorded, target: Path, threads: int | None) -> Attempt | None:
    """Compute ahead, unless there is no such rule here, which is told in its turn."""
    try:
        return Attempt(_recipe(recorded), target, threads)
    except UsageError:
        return None


def _recipe(recorded: Recorded) -> Recipe:
    return Recipe(recorded.rule, recorded.faulty, recorded.pre, recorded.parameters)


def _again(
    recorded: Recorded,
    admission: Admission,
    result: tuple[Path, str],
    target: Path,
    threads: int | None,
    engine: Engine,
) -> tuple[Computed | None, tuple[Accepted, ...], list[Finding]]:
    """Compute the round into ``target``; tell why it cannot be, or where it is not what is there and what is stated."""
    accepted, recipe = _in_order(recorded, admission), _recipe(recorded)
    rights = tuple(each.voting_right for each in accepted)
    _, broken = recipe.guarantee(len(rights), rights)
    problems = [*broken, *recipe.needs_base(admission, broken)]
    if problems:
        return None, accepted, problems
    computed = compute(admission, recipe, rights, target, threads=threads, engine=engine)
    told = [
        *_differences(*result, target, computed.digest, recorded),
        *coefficient_differences(recorded.weighing, accepted, computed),
    ]
    return computed, with_coefficients(accepted, computed), told


def _differences(
    path: Path, digest: str, target: Path, recomputed: str, recorded: Recorded
) -> Iterator[Finding]:
    """Compare the result that is there, and the one that was stated, with what came out."""
    if recomputed != digest:
        yield finding(
            "AGG016",
            "the result is not what the verified updates give",
            path=str(path),
            where=first_difference(target, path),
            notes=(f"recomputed sha256:{recomputed}", f"found sha256:{digest}"),
        )
    if recomputed != recorded.digest:
        said = "the statement names another result than the updates give"
        yield finding("AGG016", said, path=str(path), notes=(f"stated sha256:{recorded.digest}",))
