"""What contributors claim of a round, each claim proven to be theirs: pure data, of which no file was read yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

__all__ = ["Claim", "Rejected", "RoundName", "Selected", "agreed", "select"]


class RoundName(msgspec.Struct, frozen=True, order=True):
    """One round of a task."""

    task: str
    number: int

    def __str__(self) -> str:
        """``TASK@N``."""
        return f"{self.task}@{self.number}"


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A contributor's signed statement that the update with this root digest is theirs, for a round and a base.

    ``digest`` and ``base`` are root digests (hex); ``statement`` is the SHA-256 (hex) of the signed payload; ``place``
    is where the file should lie, relative to the folder of the round, for people.
    """

    contributor: str
    fingerprint: str
    digest: str
    round: RoundName
    base: str
    form: str
    statement: str
    where: str
    place: str = ""
    bundle: bytes = b""


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """An update that does not count, and the rule (``AGG``) by which."""

    contributor: str
    path: str
    rule: str
    message: str
    digest: str = ""


class Selected(msgspec.Struct, frozen=True, kw_only=True):
    """The claims that count so far, at most one a contributor, in the order of their ids; and those that do not."""

    claims: tuple[Claim, ...]
    rejected: tuple[Rejected, ...]
    equivocations: tuple[tuple[Claim, Claim], ...] = ()


def agreed(claims: Iterable[Claim]) -> tuple[RoundName, str, str] | None:
    """Return the round, base and form that more than half of the contributors name; None where there is none.

    A contributor who names several has one voice for each of them, so a majority of honest ones decides.
    """
    voices = {(claim.contributor, claim.round, claim.base, claim.form) for claim in claims}
    people = len({contributor for contributor, *_ in voices})
    counted = Counter((name, base, form) for _, name, base, form in voices)
    best = max(counted, key=lambda each: (counted[each], each), default=None)
    return best if best is not None and 2 * counted[best] > people else None


def select(
    claims: Sequence[Claim], *, name: RoundName, base: str, form: str, files: Mapping[str, str]
) -> Selected:
    """Choose the claims for this round; ``files`` maps root digests (hex) to the paths of the updates found.

    A contributor who signed two different updates for the round is dropped altogether (AGG007), whether or not both
    files are there: the statements are the proof.
    """
    others = [(claim, _elsewhere(claim, name, base, form, files)) for claim in claims]
    ours = [claim for claim, reason in others if reason is None]
    counted = {(claim.contributor, claim.digest) for claim in ours}
    # Statements of other rounds may lie about; only where a file of this folder has no better one do they matter.
    reasons = [
        reason
        for claim, reason in others
        if reason is not None and claim.digest in files and (claim.contributor, claim.digest) not in counted
    ]
    by_contributor: dict[str, dict[str, Claim]] = {}
    for claim in ours:
        by_contributor.setdefault(claim.contributor, {}).setdefault(claim.digest, claim)
    chosen: list[Claim] = []
    pairs: list[tuple[Claim, Claim]] = []
    for contributor, theirs in sorted(by_contributor.items()):
        first, *more = (theirs[digest] for digest in sorted(theirs))
        if more:
            pairs.append((first, more[0]))
            reasons += [_equivocal(claim, files) for claim in (first, *more)]
        elif first.digest not in files:
            message = f"the file that {contributor} signed is not there"
            reasons.append(_rejected(first, {first.digest: first.place or first.where}, "AGG012", message))
        else:
            chosen.append(first)
    return Selected(claims=tuple(chosen), rejected=tuple(reasons), equivocations=tuple(pairs))


def _elsewhere(
    claim: Claim, name: RoundName, base: str, form: str, files: Mapping[str, str]
) -> Rejected | None:
    if claim.round != name:
        return _rejected(claim, files, "AGG005", f"it was signed for {claim.round}, and this is {name}")
    if claim.base != base:
        return _rejected(
            claim, files, "AGG006", f"it starts from the model {claim.base[:16]}…, not {base[:16]}…"
        )
    if claim.form != form:
        return _rejected(claim, files, "AGG006", f"it holds {claim.form}, and the others hold {form}")
    return None


def _equivocal(claim: Claim, files: Mapping[str, str]) -> Rejected:
    message = f"{claim.contributor} signed two different updates for {claim.round}"
    return _rejected(claim, files, "AGG007", message)


def _rejected(claim: Claim, files: Mapping[str, str], rule: str, message: str) -> Rejected:
    return Rejected(
        contributor=claim.contributor,
        path=files.get(claim.digest, claim.where),
        rule=rule,
        message=message,
        digest=claim.digest,
    )
