"""Which rows to leave out so that no eigenvalue of the scatter of the rest exceeds a bound: all ways, by search.

With row r for origin, the scatter of a set of rows with r has no eigenvalue above t where
t (I + 1 1') - G is positive semidefinite on the others, G their inner products about r. That is a question about
principal submatrices of one matrix. Keeping a row takes a step of Gaussian elimination; then the diagonal tells rows
that can no longer be kept, 2 x 2 minors tell pairs of which one has to go, and every negative eigenvalue costs a row
(Cauchy interlacing). The last two rows to go follow from the inverse: by the inertia of Schur complements (Haynsworth
1968) its submatrix on them has as many negative eigenvalues as the whole has.

Everything is done with a margin, so that what is found may have to be looked at again, but nothing is missed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

__all__ = ["TooManyError", "within"]

MARGIN: Final = 1e-10
SINGULAR: Final = 1e-7  # an inverse of what is nearer to it than that is not asked
BATCH: Final = 128
ROUNDS: Final = 3  # of exclusions that follow from others


class TooManyError(Exception):
    """The search came to no end."""


@dataclass(frozen=True)
class _Nodes:
    """Sets of rows [b, n] ``kept`` (with the origin), ``unsettled``, and of these ``loose``: they may be left out.

    ``matrix`` [b, n, n] is what elimination of those kept leaves.
    """

    matrix: Any
    kept: Any
    unsettled: Any
    loose: Any

    def __getitem__(self, which: Any) -> _Nodes:
        return _Nodes(*(each[which] for each in (self.matrix, self.kept, self.unsettled, self.loose)))

    def __len__(self) -> int:
        return len(self.kept)

    def spare(self, size: int) -> Any:
        """Say how many rows are still to be left out."""
        return (self.kept | self.unsettled).sum(axis=1) - size

    def diagonal(self) -> Any:
        """Give the diagonal, infinite where nothing is to be settled."""
        return np.where(self.unsettled, np.einsum("bii->bi", self.matrix), np.inf)


def within(squares: Any, faulty: int, bound: float, most: int) -> Iterator[Any]:
    """Give all sets [b, n] of n - f rows whose scatter has no eigenvalue above ``bound``, and a few whose has.

    ``squares`` [n, n] are squared distances. Of rows that are the same, those of lower number are kept first. Raises
    ``TooManyError`` after ``most`` nodes of the tree.
    """
    n, seen = len(squares), 0
    same = np.triu(squares == 0, 1)
    stack = _roots(squares, faulty, bound)
    while stack:
        nodes = stack.pop()
        if len(nodes) > BATCH:
            stack.append(nodes[BATCH:])
            nodes = nodes[:BATCH]
        seen += len(nodes)
        if seen > most:
            raise TooManyError
        nodes, found = _settled(_pruned(nodes, n - faulty, bound, same), n - faulty, bound)
        if len(found):
            yield found
        if len(nodes):
            stack += _children(nodes, bound)


def _roots(squares: Any, faulty: int, bound: float) -> list[_Nodes]:
    """Take each of the f + 1 most central rows for origin, without those before it: one of them is kept."""
    n = len(squares)
    order = np.argsort(np.median(squares, axis=1), kind="stable")
    roots = []
    for place in range(faulty, -1, -1):
        row = order[place]
        about = (squares[row] + squares[row][:, None] - squares) / 2.0
        kept, unsettled = np.zeros(n, bool), np.ones(n, bool)
        kept[row] = True
        unsettled[order[: place + 1]] = False
        matrix = bound * (np.eye(n) + 1.0) - about
        roots.append(_Nodes(matrix[None], kept[None], unsettled[None], unsettled[None]))
    return roots


def _pruned(nodes: _Nodes, size: int, bound: float, same: Any) -> _Nodes:
    """Leave out rows that cannot be kept, and drop nodes that would have to leave out too many."""
    for _ in range(ROUNDS):
        gone = ~(nodes.kept | nodes.unsettled)
        gone = (gone[:, None, :] @ same)[:, 0]  # whoever leaves out a row leaves out those like it after it
        gone |= nodes.unsettled & (nodes.diagonal() < -MARGIN * bound)
        gone |= _conflicts(nodes).sum(axis=2) > np.maximum(nodes.spare(size), 0)[:, None]
        impossible = (gone & (nodes.kept | (nodes.unsettled & ~nodes.loose))).any(axis=1)
        gone &= nodes.unsettled
        nodes = replace(nodes, unsettled=nodes.unsettled & ~gone, loose=nodes.loose & ~gone)
        nodes = nodes[~impossible & (nodes.spare(size) >= 0)]
        if not gone.any() or not len(nodes):
            break
    return nodes


def _conflicts(nodes: _Nodes) -> Any:
    """Say of each two rows whether they cannot both be kept."""
    lengths = np.maximum(nodes.diagonal(), 0.0)
    squares = nodes.matrix * nodes.matrix
    with np.errstate(invalid="ignore"):
        found = squares * (1.0 - MARGIN) > lengths[:, :, None] * lengths[:, None, :]
    found &= nodes.unsettled[:, :, None] & nodes.unsettled[:, None, :]
    np.einsum("bii->bi", found)[...] = False
    return found


def _settled(nodes: _Nodes, size: int, bound: float) -> tuple[_Nodes, Any]:
    """Count negative eigenvalues; give the nodes that remain, and the sets that are found where few rows are to go."""
    both = nodes.unsettled[:, :, None] & nodes.unsettled[:, None, :]
    unit = bound * np.eye(both.shape[1])
    matrices = np.where(both, nodes.matrix + MARGIN * unit, unit)
    values = np.linalg.eigvalsh(matrices)
    negative = (values < 0).sum(axis=1)
    spare = nodes.spare(size)
    found = [(nodes.kept | nodes.unsettled)[(spare == 0) & (negative == 0)]]
    left = (spare > 0) & (negative <= spare)
    closed = left & (negative > 0) & (np.abs(values).min(axis=1) > SINGULAR * bound)
    if closed.any():
        some = _loosened(nodes[closed], np.linalg.inv(matrices[closed]), spare[closed], negative[closed])
        nodes = _put(nodes, closed, some[0])
        found += some[1]
        left &= ~closed | (spare > 2)
    return nodes[left & (nodes.loose.sum(axis=1) >= spare)], np.concatenate(found)


def _put(nodes: _Nodes, where: Any, loose: Any) -> _Nodes:
    everything = nodes.loose.copy()
    everything[where] = loose
    return replace(nodes, loose=everything)


def _loosened(nodes: _Nodes, inverse: Any, spare: Any, negative: Any) -> tuple[Any, list[Any]]:
    """Say which rows may still go, and give the sets where no more than two have to."""
    diagonal = np.einsum("bii->bi", inverse)
    small = MARGIN * np.abs(diagonal).max(axis=1, keepdims=True)
    below = diagonal < small
    # As many negative eigenvalues as rows that go: the inverse is negative definite on these.
    tight = (negative == spare)[:, None]
    loose = nodes.loose & (below | ~tight)
    minors = diagonal[:, :, None] * diagonal[:, None, :] - inverse * inverse
    close = (small * small)[:, :, None]
    pairs = loose[:, :, None] & loose[:, None, :] & ~np.eye(loose.shape[1], dtype=bool)
    loose &= ~tight | ((pairs & (minors > -close)).sum(axis=2) >= (spare - 1)[:, None])
    everything = nodes.kept | nodes.unsettled
    one, two = spare == 1, spare == 2
    pairs &= np.where(tight[:, :, None], minors > -close, minors < close) & two[:, None, None]
    node, first, second = np.nonzero(np.triu(pairs))
    less_two = everything[node]
    less_two[np.arange(len(node)), first] = less_two[np.arange(len(node)), second] = False
    node, first = np.nonzero(loose & one[:, None])
    less_one = everything[node]
    less_one[np.arange(len(node)), first] = False
    return loose, [less_one, less_two]


def _children(nodes: _Nodes, bound: float) -> list[_Nodes]:
    """Leave out, or keep, the row that stands most against the others; to leave out comes second, and is done first."""
    lengths = np.maximum(nodes.diagonal(), MARGIN * bound)
    with np.errstate(over="ignore"):
        against = nodes.matrix * nodes.matrix / (lengths[:, :, None] * lengths[:, None, :])
        np.einsum("bii->bi", against)[...] = 0.0
        weights = (against**4).sum(axis=2)
    number = np.arange(len(nodes))
    row = np.where(nodes.loose, weights, -1.0).argmax(axis=1)
    unsettled, loose, kept = nodes.unsettled.copy(), nodes.loose.copy(), nodes.kept.copy()
    unsettled[number, row] = loose[number, row] = False
    kept[number, row] = True
    column = nodes.matrix[number, row]
    pivot = np.maximum(column[number, row], MARGIN * bound)
    matrix = nodes.matrix - column[:, :, None] * (column / pivot[:, None])[:, None, :]
    return [
        _Nodes(matrix, kept, unsettled, loose),
        replace(nodes, unsettled=unsettled, loose=loose),
    ]
