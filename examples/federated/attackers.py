"""Members of the roster who attack together: they know every honest update and the rule, and sign what they send."""

from __future__ import annotations

from typing import Final

import numpy as np

from examples.federated.methods import Method
from provenance.aggregation import aggregate_arrays
from provenance.aggregation.attacks import ATTACKS, Scene

__all__ = ["MAX_NORM", "worst_updates"]

# The server drops updates of a larger norm, and attackers know it; the weights of a trained model have one of about 10.
MAX_NORM: Final = 50.0

TRIED: Final = ("sign-flip", "inner-product", "alie", "mimic", "min-max", "min-sum")


def worst_updates(base: np.ndarray, honest: np.ndarray, attackers: int, method: Method) -> np.ndarray:
    """Give what the attackers send: of the red team's attacks, the one that moves the result farthest in this round.

    ``base`` [d] are the weights that all start from, ``honest`` [h, d] those that honest contributors send, and the
    result [attackers, d] what is sent with them.
    """
    changes = honest.astype(float) - base
    mean = changes.mean(axis=0)

    def harm(rows: np.ndarray) -> float:
        if np.linalg.norm(base + rows, axis=1).max() > 0.99 * MAX_NORM:
            return -1.0
        result = aggregate_arrays(
            np.concatenate([changes, rows]).astype(np.float32),
            rule=method.rule,
            faulty=method.faulty,
            pre=method.pre,
            parameters=method.parameters,
            threads=1,
        )
        return float(np.linalg.norm(result - mean))

    own = np.repeat(mean[None], attackers, axis=0)
    scene = Scene(honest=changes, previous=changes, own=own, own_flipped=own, harm=harm)
    sent = max((ATTACKS[name].craft(scene).rows for name in TRIED), key=harm)
    return np.asarray(base + sent)
