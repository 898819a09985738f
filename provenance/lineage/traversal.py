"""The one traversal: breadth first, level by level, each artifact once; every command differs in its edges alone.

There is no recursion, so neither a cycle nor a chain of a million links is a danger; the first way found to an artifact
is a shortest one, and is kept, so that every answer can show its path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from provenance.lineage.claims import Claim
from provenance.lineage.references import Reference

__all__ = ["Edge", "Expand", "Visit", "Walk", "reach", "walk"]


class Edge(msgspec.Struct, frozen=True, gc=False):
    """A claim that leads from one artifact to another; ``position`` is that of the input it is about."""

    source: Reference
    target: Reference
    claim: Claim
    position: int


class Visit(msgspec.Struct, frozen=True, gc=False):
    """An artifact that was reached: how far from the start, and by which edge (None for the start itself)."""

    reference: Reference
    depth: int
    edge: Edge | None


class Walk(NamedTuple):
    """What was reached, by node, in the order in which it was; ``cut`` are nodes with edges beyond the depth."""

    visits: dict[str, Visit]
    cut: frozenset[str]

    def path(self, node: str) -> tuple[Visit, ...]:
        """Return a shortest path from a start to a node, both included."""
        visit = self.visits[node]
        steps = [visit]
        while visit.edge is not None:
            visit = self.visits[visit.edge.source.node]
            steps.append(visit)
        return tuple(reversed(steps))


Expand = Callable[[Sequence[Reference]], Iterable[Edge]]


def walk(starts: Iterable[Reference], expand: Expand, *, max_depth: int) -> Walk:
    """Follow edges from some artifacts, so many steps at most; see ``reach``."""
    cut: set[str] = set()
    return Walk(dict(reach(starts, expand, max_depth=max_depth, cut=cut)), frozenset(cut))


def reach(
    starts: Iterable[Reference], expand: Expand, *, max_depth: int, cut: set[str] | None = None
) -> Iterator[tuple[str, Visit]]:
    """Yield each artifact that edges lead to, and its node, as soon as it is reached; ``cut`` gets what a walk tells.

    ``expand`` is given the artifacts of one level and yields their edges; it is called for the last level too, whose
    targets are not visited.
    """
    seen: set[str] = set()
    level = []
    for start in starts:
        if start.node not in seen:
            seen.add(start.node)
            level.append(start)
            yield start.node, Visit(start, 0, None)
    depth = 0
    while level:
        following = []
        for edge in expand(level):
            node = edge.target.node
            if node in seen:
                continue
            if depth < max_depth:
                seen.add(node)
                following.append(edge.target)
                yield node, Visit(edge.target, depth + 1, edge)
            elif cut is not None:
                cut.add(edge.source.node)
        level = following
        depth += 1
