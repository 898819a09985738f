"""Computing a round in the very read that verifies its updates, on the guess that all that were signed are as signed.

Who signed what is proven before any update is read. So it can be guessed which files will take part: those that the
contributors' statements name. They are read side by side, and the result goes to a file that nobody sees. Then
everything is checked as if nothing had been computed: a result of other updates than those that are admitted, by as
much as one, is thrown away, and the round is computed from the updates that count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from provenance.aggregation.rounds.admission import Wanted, settle
from provenance.aggregation.rounds.claims import Claim, select
from provenance.aggregation.rounds.computing import Recipe, combine, describe, observes
from provenance.aggregation.rounds.examining import Examination
from provenance.aggregation.rounds.folder import Together, format_of
from provenance.aggregation.rounds.output import drafted
from provenance.aggregation.rounds.ready import Ready
from provenance.aggregation.rounds.sealing import new_tag
from provenance.aggregation.rounds.side_by_side import MisguessedError, SideBySide, is_straight
from provenance.aggregation.updates import UnusableUpdateError
from provenance.errors import Malformed, UsageError

__all__ = ["Attempt", "try_ahead"]


class Attempt(msgspec.Struct, frozen=True):
    """What is to be computed, should the updates be what they are said to be."""

    recipe: Recipe
    target: Path
    threads: int | None = None
    observe: bool = False


class _Guess(NamedTuple):
    """The round and form that the contributors name, and whose update each file should be, in the order of the rows."""

    round: str
    form: str
    rows: Mapping[str, Claim]


def try_ahead(
    descriptors: Mapping[str, int],
    *,
    stack: ExitStack,
    claims: Sequence[Claim],
    wanted: Wanted,
    right: Callable[[str], float],
    attempt: Attempt,
) -> Together:
    """Read the files that should take part side by side, and combine them; ``stack`` keeps the result for a while.

    ``right`` gives the voting right of a contributor. Raises ``Refused`` (AGG015) where a file changes between two
    passes. Nothing else that may be wrong is told from here, for it is found again by those who tell it.
    """
    guess = _guess(claims, wanted, descriptors)
    if guess is None:
        return Together({})
    try:
        opened = _opened(descriptors, guess, wanted)
        rights = tuple(right(guess.rows[name].contributor) for name in opened)
        source = _source(descriptors, opened, guess, wanted, attempt, rights)
    except (OSError, ValueError):
        source = None
    return _combined(stack, source, guess, attempt, rights) if source is not None else Together({})


def _guess(claims: Sequence[Claim], wanted: Wanted, names: Collection[str]) -> _Guess | None:
    settled = settle(claims, wanted)
    if settled is None:
        return None
    name, base, form = settled
    places = {claim.digest: claim.place for claim in claims if claim.place in names}
    chosen = select(claims, name=name, base=base, form=form, files=places).claims
    rows = {places[claim.digest]: claim for claim in chosen}
    return _Guess(str(name), form, rows) if len(rows) == len(chosen) else None


def _opened(descriptors: Mapping[str, int], guess: _Guess, wanted: Wanted) -> dict[str, Examination]:
    """Read the headers, and leave out files that are no updates or have other tensors than the base or most of them."""
    found = {}
    for name in guess.rows:
        with suppress(Malformed):
            if format_of(descriptors[name], name) == "safetensors":
                found[name] = Examination(descriptors[name], None)
    counted = Counter(one.layout for one in found.values())
    usual = max(counted, key=counted.__getitem__, default=None)
    expected = wanted.base.examined.layout if wanted.base is not None else usual
    return {name: one for name, one in found.items() if one.layout == expected}


def _source(
    descriptors: Mapping[str, int],
    opened: Mapping[str, Examination],
    guess: _Guess,
    wanted: Wanted,
    attempt: Attempt,
    rights: Sequence[float],
) -> SideBySide | None:
    """Give the updates to be read, or None where they cannot be read side by side; raises ValueError with the plan."""
    if not opened or not all(is_straight(one) for one in opened.values()):
        return None
    plan = attempt.recipe.plan(len(opened), rights)
    centred = guess.form == "weights" and not plan.equivariant
    if centred and wanted.base is None:
        return None
    columns = next(iter(opened.values())).layout.columns
    if plan.measures or observes(len(opened), columns, observe=attempt.observe):
        for one in opened.values():
            one.tag = new_tag()  # for the second pass
    return SideBySide(
        opened,
        descriptors,
        [guess.rows[name].digest for name in opened],
        base=wanted.base if centred else None,
        threads=attempt.threads,
    )


def _combined(
    stack: ExitStack, source: SideBySide, guess: _Guess, attempt: Attempt, rights: tuple[float, ...]
) -> Together:
    described = describe(guess.round, attempt.recipe, guess.form)
    with ExitStack() as draft:
        try:
            output = draft.enter_context(drafted(attempt.target, source.layout, described))
            computed = combine(
                source,
                attempt.recipe,
                rights,
                output,
                threads=attempt.threads,
                observe=attempt.observe,
                passes=source.passes,
            )
        except (MisguessedError, UnusableUpdateError, Malformed, UsageError, OSError):
            return Together(source.examined)
        stack.push(draft.pop_all())
    ready = Ready(source.names, rights, attempt.recipe, described, computed, output)
    return Together(source.examined, ready)
