"""Members of the roster who attack together: they know every honest update and the rule, and sign what they send."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from examples.federated.methods import Method
from provenance.aggregation import aggregate_arrays

__all__ = ["worst_update"]

STRENGTHS = (0.5, 1.0, 1.5, 2.0, 4.0, 10.0)


def worst_update(honest: np.ndarray, attackers: int, method: Method) -> np.ndarray:
    """Give what all attackers send: of several attacks, the one that moves the result farthest from the honest mean.

    ``honest`` [h, d] are the differences of the honest updates from the base model; so is the result [d].
    """
    mean = honest.mean(axis=0)

    def harm(sent: np.ndarray) -> float:
        updates = np.concatenate([honest, np.repeat(sent[None], attackers, axis=0)])
        result = aggregate_arrays(
            updates,
            rule=method.rule,
            faulty=method.faulty,
            pre=method.pre,
            parameters=method.parameters,
            threads=1,
        )
        return float(np.linalg.norm(result - mean))

    return max(_attacks(honest), key=harm)


def _attacks(honest: np.ndarray) -> Iterator[np.ndarray]:
    mean, deviation = honest.mean(axis=0), honest.std(axis=0)
    for strength in STRENGTHS:
        yield -strength * mean  # inner-product manipulation (arXiv 1903.03936); sign flipping at 1
        yield mean - strength * deviation  # a little is enough (arXiv 1902.06156)
