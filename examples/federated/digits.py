"""The data: 1,797 handwritten digits of 8 x 8 pixels, shared out unevenly."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

__all__ = ["Digits", "Shard", "shared_out"]

CLASSES = 10
TESTED = 360


class Shard(NamedTuple):
    """Pictures [n, 64] with values from 0 to 1, and their labels [n]."""

    pictures: torch.Tensor
    labels: torch.Tensor


class Digits(NamedTuple):
    """What each person has, and what all are tested on."""

    shards: tuple[Shard, ...]
    test: Shard


def shared_out(people: int, *, concentration: float = 0.5, seed: int = 0) -> Digits:
    """Share the digits out: of each class, people get the proportions of a draw from a Dirichlet distribution.

    The smaller its ``concentration``, the more people differ in which digits they have.
    """
    from sklearn.datasets import load_digits

    pictures, labels = load_digits(return_X_y=True)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(labels))
    tested, taught = order[:TESTED], order[TESTED:]
    theirs: list[list[int]] = [[] for _ in range(people)]
    for digit in range(CLASSES):
        members = taught[labels[taught] == digit]
        shares = rng.dirichlet(np.full(people, concentration))
        cuts = np.rint(np.cumsum(shares)[:-1] * len(members)).astype(int)
        for owned, part in zip(theirs, np.split(members, cuts), strict=True):
            owned.extend(part.tolist())
    return Digits(
        tuple(_shard(pictures, labels, np.array(owned, int)) for owned in theirs),
        _shard(pictures, labels, tested),
    )


def _shard(pictures: np.ndarray, labels: np.ndarray, rows: np.ndarray) -> Shard:
    return Shard(
        torch.tensor(pictures[rows] / 16.0, dtype=torch.float32), torch.tensor(labels[rows], dtype=torch.long)
    )
