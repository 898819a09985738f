"""Minimum-diameter averaging: the mean of the n-f rows whose largest distance is least. Exact, without enumeration.

The rows to leave out are a vertex cover of at most f in the graph of pairs farther apart than t; the least such t
is found by bisection over the distances, and a cover by a search tree of bounded depth (Chen, Kanj and Xia 2010
give 1.28^f for the best; this one is simpler).
"""

from __future__ import annotations

from typing import Final

from provenance.aggregation.geometry import Geometry
from provenance.aggregation.rule import Choices, Combination, Rule, chosen, majority

__all__ = ["MDA", "least_diameter_subset"]

Graph = list[int]
"""For each vertex the bits of its neighbours."""

NOTHING: Final = 0


def least_diameter_subset(squares: list[list[float]], faulty: int) -> list[int]:
    """Give the n-f rows of least diameter; of several such subsets the lexicographically first."""
    distances = sorted({0.0, *(value for row in squares for value in row)})
    low, high = 0, len(distances) - 1
    while low < high:
        middle = (low + high) // 2
        if _has_cover(_graph(squares, distances[middle]), _all(len(squares)), faulty):
            high = middle
        else:
            low = middle + 1
    return _first_subset(_graph(squares, distances[low]), faulty)


def _all(n: int) -> int:
    return (1 << n) - 1


def _graph(squares: list[list[float]], most: float) -> Graph:
    return [sum(1 << other for other, value in enumerate(row) if value > most) for row in squares]


def _has_cover(graph: Graph, alive: int, budget: int) -> bool:
    """Say whether ``budget`` vertices can be taken from ``alive`` so that no edge is left among the rest."""
    degrees = [
        ((graph[vertex] & alive).bit_count(), vertex) for vertex in range(len(graph)) if alive >> vertex & 1
    ]
    most, vertex = max(degrees, default=(0, 0))
    edges = sum(degree for degree, _ in degrees) // 2
    if edges == 0:
        return True
    if edges > budget * most:
        return False
    if most == 1:
        return edges <= budget
    without = alive & ~(1 << vertex)
    if _has_cover(graph, without, budget - 1):
        return True
    neighbours = graph[vertex] & alive
    return most <= budget and _has_cover(graph, without & ~neighbours, budget - most)


def _first_subset(graph: Graph, faulty: int) -> list[int]:
    """Keep vertex after vertex where the rest can still be made independent by leaving out the rest of f."""
    kept: list[int] = []
    alive, budget = _all(len(graph)), faulty
    for vertex in range(len(graph)):
        if len(kept) == len(graph) - faulty:
            break
        if not alive >> vertex & 1:
            continue
        neighbours = graph[vertex] & alive
        cost = neighbours.bit_count()
        without = alive & ~(1 << vertex)
        if cost <= budget and _has_cover(graph, without & ~neighbours, budget - cost):
            kept.append(vertex)
            alive, budget = without & ~neighbours, budget - cost
        else:
            alive, budget = without, budget - 1
    return kept


def _combine(space: Geometry, choices: Choices) -> Combination:
    by_rank = sorted(range(space.n), key=lambda row: space.rank[row])
    squares = space.squares.tolist()
    ranked = [[squares[row][other] for other in by_rank] for row in by_rank]
    return chosen([by_rank[place] for place in least_diameter_subset(ranked, choices.faulty)], space.n)


def _kappa(n: int, faulty: int) -> float:
    return 8.0 * faulty * faulty / (n - faulty)


MDA = Rule(
    name="mda",
    title="the mean of the n-f rows of least diameter",
    least=majority,
    kappa=_kappa,
    source="from 2f/(n-f) times the diameter (El-Mhamdi et al. 2021), derived in docs/aggregation.md: 8f^2/(n-f)",
    condition="n > 2f",
    combine=_combine,
)
