"""The contributors of an artifact, as the statements and the roster tell of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from provenance.auditing.model import Aggregation, Person
from provenance.lineage.authority import Belief
from provenance.lineage.claims import CONTRIBUTION
from provenance.lineage.tracing import Traced
from provenance.trust.roster import Roster

__all__ = ["people_of"]


class _Given(NamedTuple):
    belief: Belief
    records: int


def people_of(
    traced: Traced, roster: Roster | None, aggregations: Iterable[Aggregation]
) -> tuple[Person, ...]:
    """List everybody who contributed to what an artifact was made from, those with the largest share first.

    Where a statement counts the records that were taken of a batch, these count and not the whole batch.
    """
    given: dict[str, list[_Given]] = {}
    taken = _taken(traced)
    for node, verdict in traced.verdicts.items():
        for belief in verdict.beliefs:
            claim = belief.claim
            if claim.kind == CONTRIBUTION and (belief.accepted or belief.wrong):
                records = taken.get(node, max(claim.records, 0))
                given.setdefault(belief.member or claim.contributor, []).append(_Given(belief, records))
    people = [_person(name, theirs, roster) for name, theirs in sorted(given.items())]
    total = sum(each.records for each in people), sum(each.updates for each in people)
    parts = _coefficients(aggregations)
    finished = [_with_share(each, total, parts) for each in people]
    return tuple(sorted(finished, key=lambda each: (-(each.share or 0), each.id)))


def _taken(traced: Traced) -> dict[str, int]:
    """How many records of each batch went on, where accepted statements count them."""
    counted: dict[str, int] = {}
    for verdict in traced.verdicts.values():
        for edge in verdict.edges:
            number = edge.claim.inputs[edge.position].taken
            if number >= 0:
                counted[edge.target.node] = counted.get(edge.target.node, 0) + number
    return counted


def _person(name: str, given: list[_Given], roster: Roster | None) -> Person:
    beliefs = [each.belief for each in given]
    listed = roster.contributor(name) if roster is not None else None
    updates = sum(each.claim.round != "" for each in beliefs)
    found = Person(
        id=name,
        records=sum(each.records for each in given),
        updates=updates,
        batches=len(beliefs) - updates,
        keys=tuple(dict.fromkeys(each.claim.signer for each in beliefs if each.claim.signer)),
        tainted=any(each.wrong for each in beliefs),
        licences=tuple(sorted({each.claim.licence for each in beliefs} - {""})),
    )
    if listed is None:
        return found
    return msgspec.structs.replace(
        found,
        voting_right=listed.voting_right,
        keys=tuple(key.fingerprint for key in listed.keys) or found.keys,
        valid_from=listed.valid_from,
        valid_until=listed.valid_until,
        standing=listed.standing(None, trusted=False),
    )


def _with_share(person: Person, total: tuple[int, int], parts: Mapping[str, float | None]) -> Person:
    records, updates = total
    share = person.records / records if records else person.updates / updates if updates else None
    return msgspec.structs.replace(person, share=share, coefficient=parts.get(person.id))


def _coefficients(aggregations: Iterable[Aggregation]) -> dict[str, float | None]:
    return dict(_parts(aggregations))


def _parts(aggregations: Iterable[Aggregation]) -> Iterator[tuple[str, float | None]]:
    for each in aggregations:
        for contributor, coefficient, _ in each.parts:
            yield contributor, coefficient
