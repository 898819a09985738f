"""The appendix: evidence that Regulation (EU) 2024/1689 asks for, as far as signed statements can show it.

It says what is proven, asserted or missing, and never that anything is compliant: that is for people and authorities.
"""

from __future__ import annotations

from collections.abc import Sequence

from policies import LineageEnd
from provenance.auditing.model import Aggregation, Custody, Evidence, Person, Standing

__all__ = ["appendix"]

_DERIVED = frozenset({"curate", "train", "fine-tune", "merge", "convert", "aggregate"})


def appendix(
    status: Standing,
    sources: Sequence[LineageEnd],
    custody: Sequence[Custody],
    people: Sequence[Person],
    aggregations: Sequence[Aggregation],
) -> tuple[Evidence, ...]:
    """Go through the articles on data, records and training content, one kind of evidence a line."""
    made = [step for step in custody if step.kind in _DERIVED]
    licensed = [end for end in sources if end.licence]
    return (
        Evidence(
            article="10(2)(a)",
            asks="design choices",
            status=_of_steps(made),
            shown=f"parameters and code of {_count(len(made), 'signed step')}"
            if made
            else "no step tells them",
        ),
        Evidence(
            article="10(2)(b)",
            asks="how data were collected, and their origin",
            status=status,
            shown=f"{_count(len(sources), 'source')}, {_count(len(people), 'contributor')}",
        ),
        Evidence(
            article="10(2)(c)",
            asks="preparation of data: cleaning, labelling, enrichment, aggregation",
            status=_of_steps([step for step in made if step.kind in {"curate", "aggregate"}]),
            shown=_kinds(made),
        ),
        Evidence(
            article="10(2)(d)",
            asks="assumptions about what the data measure",
            status="missing",
            shown="not a matter of signatures: keep it in the technical documentation",
        ),
        Evidence(
            article="10(2)(f)",
            asks="examination for biases",
            status="missing",
            shown="not a matter of signatures; the shares of the contributors above may help",
        ),
        Evidence(
            article="12",
            asks="records of events over the lifetime",
            status=_of_steps(list(custody)),
            shown=f"{_count(len(custody), 'statement')} in the chain of custody",
        ),
        Evidence(
            article="53(1)(c)",
            asks="respect for copyright",
            status=_part(len(licensed), len(sources)),
            shown=f"a licence is stated for {len(licensed)} of {_count(len(sources), 'source')}",
        ),
        Evidence(
            article="53(1)(d)",
            asks="summary of the content used for training",
            status=status,
            shown=f"the sources listed above, by digest; {_count(len(aggregations), 'aggregated round')}",
        ),
    )


def _of_steps(steps: Sequence[Custody]) -> Standing:
    if not steps or any(step.status == "missing" for step in steps):
        return "missing"
    return "proven" if all(step.status == "proven" for step in steps) else "asserted"


def _part(some: int, whole: int) -> Standing:
    """A licence that is stated is a claim, whoever signed it."""
    return "asserted" if some and some == whole else "missing"


def _kinds(steps: Sequence[Custody]) -> str:
    kinds = sorted({step.kind for step in steps})
    return ", ".join(kinds) if kinds else "no signed step"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
