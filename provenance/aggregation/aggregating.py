"""Aggregate updates by a rule: at most two passes over them, the same bits whatever the threads and chunks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from provenance.aggregation.arithmetic import quantised
from provenance.aggregation.combining import combined
from provenance.aggregation.geometry import Geometry, geometry_of
from provenance.aggregation.gram import GramBlock, choose_centre, gram_block
from provenance.aggregation.kernels import by_coordinate
from provenance.aggregation.ordering import content_order
from provenance.aggregation.passes import Pass, Passes, over_threads
from provenance.aggregation.plan import Plan, planned
from provenance.aggregation.pre.model import Mixing
from provenance.aggregation.rule import Choices, Combination, Kernel
from provenance.aggregation.updates import ArrayUpdates, FileUpdates, Floats, Updates
from provenance.aggregation.weights import Counts, Sample, mean_weights

__all__ = ["Aggregate", "aggregate", "aggregate_arrays"]

Write = Callable[[int, Floats], None]
"""Called with a first column and values in float64, column after column, by the thread that called ``aggregate``."""


@dataclass(frozen=True)
class Aggregate:
    """A result: ``values`` [d] in float64 or float32 (None where they were written elsewhere), and how it came about.

    ``coefficients`` [n] are the factors of the rows where the result is a linear combination; for rules by coordinate
    the means of their factors over a sample of the columns, None where nobody asked for one. ``diameter`` and
    ``heterogeneity`` (the largest distance of two rows; the root of their mean squared distance from their mean) are
    None where the rule needed no distances and nobody asked.
    """

    values: np.ndarray[Any, Any] | None
    coefficients: tuple[float, ...] | None
    diameter: float | None
    heterogeneity: float | None


def aggregate_arrays(
    updates: Any,
    *,
    rule: str,
    faulty: int,
    pre: Sequence[str] = (),
    voting_rights: Sequence[float] | None = None,
    parameters: Mapping[str, Any] | None = None,
    threads: int | None = None,
) -> np.ndarray[Any, Any]:
    """Aggregate an array [n, d] of float16, bfloat16, float32 or float64, one row a contributor, to [d].

    The result is float64 for float64, else float32. Raises ValueError where the rule's conditions do not hold, for
    NaN and infinity, for empty input, and for unknown rules and parameters.
    """
    result = aggregate(
        ArrayUpdates(updates),
        rule=rule,
        faulty=faulty,
        pre=pre,
        voting_rights=voting_rights,
        parameters=parameters,
        threads=threads,
    )
    assert result.values is not None
    return result.values


def aggregate(  # noqa: PLR0913 (the same names as in `provenance aggregate`)
    updates: Updates,
    *,
    rule: str,
    faulty: int,
    pre: Sequence[str] = (),
    voting_rights: Sequence[float] | None = None,
    parameters: Mapping[str, Any] | None = None,
    threads: int | None = None,
    chunk: int | None = None,
    out: Write | None = None,
    observe: bool = False,
    sample: Sample | None = None,
    passes: Passes | None = None,
) -> Aggregate:
    """Aggregate any source of updates; see ``aggregate_arrays``.

    ``chunk`` is about how many columns are read at once; ``out`` gets the result in place of ``values``;
    ``observe`` asks for the distances also where the rule needs none, which takes a pass more. ``sample`` says in which
    columns a rule by coordinate counts whose values it takes. ``passes`` takes the passes elsewhere than in threads of
    this process, with the same result.
    """
    plan = planned(
        rule, n=updates.n, faulty=faulty, pre=pre, voting_rights=voting_rights, parameters=parameters
    )
    reading = _Reading(updates, passes or partial(over_threads, chunk=chunk, threads=threads))
    order = content_order(updates, voting_rights)
    space = measured(reading, plan, order) if observe or plan.measures else None
    mixings, combination = solved(plan, order, space)
    if plan.rule.kernel is None:
        assert combination is not None
        blocks = _weighted_sum(reading, order, combination, checked=space is not None)
        values = _collected(blocks, updates, out)
    else:
        stage = _Stage(plan, order, mixings, combination, checked=space is not None)
        counts: Counts = np.zeros(plan.counts[-1], np.int64)
        values = _collected(_by_coordinate(reading, stage, sample, counts), updates, out)
        combination = _back(mixings, mean_weights(counts)) if sample is not None else None
    return Aggregate(
        values=values,
        coefficients=_by_row(combination, order),
        diameter=space.diameter() if space else None,
        heterogeneity=space.heterogeneity() if space else None,
    )


@dataclass(frozen=True)
class _Reading:
    updates: Updates
    passes: Passes

    def each(self, work: Pass) -> Iterator[Any]:
        return self.passes(self.updates, work)

    def sparing(self, rows: Collection[int]) -> _Reading:
        if not rows or not isinstance(self.updates, FileUpdates):
            return self
        return _Reading(self.updates.sparing(rows), self.passes)

    @property
    def prepared(self) -> bool:
        return isinstance(self.updates, FileUpdates) and self.updates.prepared


def centre_of(updates: Updates, plan: Plan) -> int | None:
    """Give the row on which the Gram matrix is centred: None for zero, where the rule looks at lengths."""
    return choose_centre(updates.chunks(0, min(updates.d, 1024))) if plan.equivariant else None


def measured(reading: _Reading, plan: Plan, order: list[int]) -> Geometry:
    """Take the first pass: the exact Gram matrix, and what follows from it; rows in the given order."""
    work = partial(gram_block, centre=centre_of(reading.updates, plan))
    whole = GramBlock(0, {})
    for block in reading.each(work):
        whole = whole + block
    return geometry_of(whole, order, plan.choices.faulty, origin=not plan.equivariant)


def solved(
    plan: Plan, order: list[int], space: Geometry | None
) -> tuple[tuple[Mixing, ...], Combination | None]:
    """Solve for the coefficients of the rows, taken in the given order; for rules by coordinate, of the mixed rows."""
    n = len(order)
    current = space or Geometry(np.zeros((n, n)), np.zeros((n, n)), 0, tuple(order), origin=False)
    mixings: list[Mixing] = []
    for step, choices in zip(plan.steps, plan.step_choices, strict=True):
        mixings.append(step.mix(current, choices))
        current = mixings[-1].apply(current)
    if plan.rule.combine is None:
        return tuple(mixings), None
    combination = plan.rule.combine(current, _in_order(plan.choices, order))
    if plan.rule.kernel is None:
        combination = _back(mixings, combination)
    weights = combination.weights
    whole = bool((weights == np.rint(weights)).all()) or plan.rule.blind
    return tuple(mixings), combination if whole else Combination(quantised(weights), combination.divisor)


def _back(mixings: Sequence[Mixing], combination: Combination) -> Combination:
    for mixing in reversed(mixings):
        combination = mixing.back(combination)
    return combination


def _in_order(choices: Choices, order: list[int]) -> Choices:
    rights = None if choices.rights is None else choices.rights[order]
    return Choices(choices.faulty, choices.parameters, rights)


def _weighted_sum(
    reading: _Reading, order: list[int], combination: Combination, *, checked: bool
) -> Iterator[Floats]:
    """Give the result range by range, for a rule in Gram space."""
    work = partial(combined, order=order, combination=combination, checked=checked or reading.prepared)
    unused = _unused(order, combination) if checked else ()
    return reading.sparing(unused).each(partial(_columns, work=work))


@dataclass(frozen=True)
class _Stage:
    """What is left to be done by coordinate: with all rows, mixed, or with those that were selected."""

    plan: Plan
    order: list[int]
    mixings: tuple[Mixing, ...]
    combination: Combination | None
    checked: bool

    @property
    def selected(self) -> list[int] | None:
        return None if self.combination is None else np.flatnonzero(self.combination.weights).tolist()

    @property
    def unused(self) -> list[int]:
        if self.combination is None or self.mixings:
            return []
        return _unused(self.order, self.combination)

    def kernel(self) -> Kernel:
        rows = self.plan.counts[-1] if self.selected is None else len(self.selected)
        assert self.plan.rule.kernel is not None
        return self.plan.rule.kernel(rows, _in_order(self.plan.choices, self.order))


def _by_coordinate(
    reading: _Reading, stage: _Stage, sample: Sample | None, counts: Counts
) -> Iterator[Floats]:
    """Give the result range by range, for a rule by coordinate; add to the ``counts`` of its rows meanwhile."""
    selected = stage.selected
    work = partial(
        by_coordinate,
        order=stage.order,
        mixings=stage.mixings,
        selected=selected,
        kernel=stage.kernel(),
        prepared=reading.prepared and not stage.checked,
        sample=sample,
    )
    for values, more in reading.sparing(stage.unused).each(partial(_numbered_columns, work=work)):
        counts[slice(None) if selected is None else selected] += more
        yield values


def _unused(order: list[int], combination: Combination) -> list[int]:
    return [row for row, weight in zip(order, combination.weights.tolist(), strict=True) if not weight]


def _columns(
    updates: Updates, start: int, stop: int, *, work: Callable[[np.ndarray[Any, Any]], Floats]
) -> Floats:
    return work(updates.chunks(start, stop))


def _numbered_columns(
    updates: Updates,
    start: int,
    stop: int,
    *,
    work: Callable[[np.ndarray[Any, Any], int], tuple[Floats, Counts]],
) -> tuple[Floats, Counts]:
    return work(updates.chunks(start, stop), start)


def _by_row(combination: Combination | None, order: list[int]) -> tuple[float, ...] | None:
    if combination is None:
        return None
    coefficients = dict(zip(order, combination.coefficients().tolist(), strict=True))
    return tuple(coefficients[row] for row in range(len(order)))


def _collected(blocks: Iterator[Floats], updates: Updates, out: Write | None) -> np.ndarray[Any, Any] | None:
    """Write the result away, or round it once to its dtype."""
    values = None
    if out is None:
        values = np.empty(updates.d, np.float64 if updates.dtype.itemsize > 4 else np.float32)
    start = 0
    for block in blocks:
        if values is None:
            assert out is not None
            out(start, block)
        else:
            values[start : start + len(block)] = block
        start += len(block)
    return values
