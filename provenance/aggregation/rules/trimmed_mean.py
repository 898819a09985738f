"""The coordinate-wise trimmed mean: without the f largest and the f smallest values."""

from __future__ import annotations

from typing import Any

import numpy as np

from provenance.aggregation.networks import network, run
from provenance.aggregation.rule import Choices, Kernel, Rule, majority
from provenance.aggregation.scratch import scratch
from provenance.aggregation.updates import Floats

__all__ = ["TRIMMED_MEAN"]


def _kernel(n: int, choices: Choices) -> Kernel:
    kept = range(choices.faulty, n - choices.faulty)
    comparators = network(n, (), [kept])

    def trimmed_mean(rows: list[Any]) -> Floats:
        run(comparators, rows, scratch("spare", rows[0].shape, rows[0].dtype))
        result: Floats = scratch("sum", rows[0].shape, np.float64)
        np.copyto(result, rows[kept[0]])
        for wire in kept[1:]:
            result += rows[wire]
        result /= len(kept)
        return result

    return Kernel(trimmed_mean, kept)


def _kappa(n: int, faulty: int) -> float:
    ratio = faulty / (n - 2 * faulty)
    return 6.0 * ratio * (1.0 + ratio)


TRIMMED_MEAN = Rule(
    name="trimmed-mean",
    title="coordinate-wise trimmed mean",
    least=majority,
    kappa=_kappa,
    source="Allouah et al. 2023 (arXiv 2302.01772), table 1: 6f/(n-2f) (1 + f/(n-2f))",
    condition="n > 2f",
    kernel=_kernel,
)
