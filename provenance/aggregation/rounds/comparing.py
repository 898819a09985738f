"""Where two results differ, or what is told of them, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from policies import Finding, finding
from provenance.aggregation.rounds.examining import offsets_of, read_header, read_values
from provenance.aggregation.rounds.layout import difference, layout_of, pieces
from provenance.aggregation.rounds.result import Accepted, Computed
from provenance.aggregation.rounds.weighing import is_known
from provenance.attestations.weighing import FACTORS, Weighing
from provenance.errors import Malformed

__all__ = ["coefficient_differences", "first_difference"]


def first_difference(expected: Path, found: Path) -> str:
    """Name the first tensor that differs, how many of its values do, and by how much at most."""
    try:
        with expected.open("rb") as ours, found.open("rb") as theirs:
            return _difference(ours.fileno(), theirs.fileno())
    except (Malformed, OSError) as error:
        return f"it cannot be read: {error}"


def coefficient_differences(
    told: Weighing | None, accepted: Sequence[Accepted], computed: Computed
) -> Iterator[Finding]:
    """Hold the coefficients of a statement against those that came out, in the order in which updates were combined.

    A statement may tell factors without saying so; one that tells nothing is no error, but is not passed over.
    """
    found = computed.weighing
    stated = {each.coefficient for each in accepted}
    if told is None and (stated == {None} or found == FACTORS):
        told = found
    if told is not None and not is_known(told):
        said = (
            f"the coefficients are told as {told.kind[:50]} by {told.sampling[:50]}, which is not known here"
        )
        yield finding("AGG018", said)
    elif told != found:
        yield finding("AGG022", f"the coefficients are told as {told or 'nothing'}, and are: {found}")
    elif stated == {None}:
        said = "the statement does not tell how much of the result is whose"
        yield finding("AGG022", said, severity="warning", notes=(f"recomputed here: {found}",))
    else:
        for each, coefficient in zip(accepted, computed.coefficients, strict=True):
            if each.coefficient != coefficient:
                said = f"its coefficient is stated as {each.coefficient} and is {coefficient}"
                yield finding("AGG022", said, path=each.path, where=each.contributor)


def _difference(ours: int, theirs: int) -> str:
    headers = [read_header(descriptor)[0] for descriptor in (ours, theirs)]
    layouts = [layout_of(header) for header in headers]
    if said := difference(layouts[1], layouts[0]):
        return said
    offsets = [offsets_of(header, layouts[0]) for header in headers]
    counts: dict[int, int] = {}
    largest = 0.0
    for piece in pieces(layouts[0]):
        mine, other = (
            read_values(
                descriptor,
                where,
                piece.span,
                piece.offset,
                np.empty(piece.length, where.dtypes[piece.span]),
            )
            for descriptor, where in zip((ours, theirs), offsets, strict=True)
        )
        unequal = mine.view(f"u{mine.itemsize}") != other.view(f"u{mine.itemsize}")
        if unequal.any():
            counts[piece.span] = counts.get(piece.span, 0) + int(np.count_nonzero(unequal))
            apart = np.abs(mine[unequal].astype(np.float64) - other[unequal].astype(np.float64))
            largest = max(largest, float(np.max(apart, initial=0.0)))
    if not counts:
        return "the files differ outside of the tensors' values"
    first = min(counts)
    span = layouts[0].spans[first]
    more = f", and {len(counts) - 1} other tensors" if len(counts) > 1 else ""
    return f"tensor {span.name[:200]}, {counts[first]} of {span.count} values{more}; largest difference {largest:.3g}"
