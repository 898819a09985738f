"""The coordinate-wise median; of an even number, the mean of the two middle values. Voting rights weigh values."""

from __future__ import annotations

from typing import Any

import numpy as np

from provenance.aggregation.networks import network, run
from provenance.aggregation.rights import whole_rights
from provenance.aggregation.rule import Choices, Kernel, Rule, majority
from provenance.aggregation.scratch import scratch
from provenance.aggregation.updates import Floats

__all__ = ["MEDIAN"]


def _kernel(n: int, choices: Choices) -> Kernel:
    if choices.rights is not None and len(set(choices.rights.tolist())) > 1:
        return _weighted(choices.rights)
    low, high = (n - 1) // 2, n // 2
    comparators = network(n, {low, high})

    def median(rows: list[Any]) -> Floats:
        run(comparators, rows, scratch("spare", rows[0].shape, rows[0].dtype))
        middle: Floats = scratch("sum", rows[0].shape, np.float64)
        np.copyto(middle, rows[low])
        if high != low:
            middle += rows[high]
            middle *= 0.5
        return middle

    return Kernel(median, range(low, high + 1))


def _weighted(rights: Floats) -> Kernel:
    """Take the least value at which half the rights are reached; where it is half exactly, the mean with the next."""
    whole = np.array(whole_rights(rights), np.int64)
    everything = int(whole.sum())

    def median(rows: list[Any]) -> Floats:
        kept = [index for index in range(len(rows)) if whole[index]]
        values = np.stack([rows[index] for index in kept])
        order = np.argsort(values, axis=0, kind="stable")
        values = np.take_along_axis(values, order, axis=0)
        reached = 2 * np.cumsum(whole[kept][order], axis=0, dtype=np.int64)
        low = np.argmax(reached >= everything, axis=0)
        high = np.argmax(reached > everything, axis=0)
        rows[:2] = (np.take_along_axis(values, each[None], axis=0)[0] for each in (low, high))
        middle: Floats = rows[0].astype(np.float64)
        middle += rows[1]
        middle *= 0.5
        return middle

    return Kernel(median, range(2), rights)


def _kappa(n: int, faulty: int) -> float:
    return 4.0 * (1.0 + faulty / (n - 2 * faulty)) ** 2


MEDIAN = Rule(
    name="median",
    title="coordinate-wise median",
    least=majority,
    kappa=_kappa,
    source="Allouah et al. 2023 (arXiv 2302.01772), table 1: 4 (1 + f/(n-2f))^2",
    condition="n > 2f",
    kernel=_kernel,
    weighted=True,
)
