"""Logistic regression as contributors train it, and the data that yield any gradient: poisoning equals Byzantine.

For the loss log(1 + exp(-y w.x)) a sample (x, y) has the gradient -y s(-y w.x) x, s the logistic function. So a
contributor that only chooses its data sends the same update as one that chooses the update (arXiv 2202.08578).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from provenance.aggregation.attacks.model import Scene
from provenance.aggregation.updates import Floats, Grid

__all__ = ["gradient", "poisoned_samples", "training_round"]

# The most that c s(c a) |a| reaches for a < 0: max t / (1 + exp t) = 0.278464...
REACH: Final = 0.2784
MOST_SAMPLES: Final = 1_000_000


def gradient(weights: Floats, features: Grid, labels: Floats) -> Floats:
    """Give the sum over samples [m, d] with labels -1 or 1 of the loss's gradients at ``weights`` [d]."""
    margins = labels * (features @ weights)
    found: Floats = -(labels * np.exp(-np.logaddexp(0.0, margins))) @ features
    return found


def poisoned_samples(weights: Floats, wanted: Floats) -> tuple[Grid, Floats]:
    """Give samples whose gradients at ``weights`` add up to ``wanted``: k times x = c wanted, label -1.

    One sample will do unless the gradient points against the weights, where each sample reaches only so far. Raises
    ValueError where more than a million samples would be needed.
    """
    along = float(weights @ wanted)
    count = max(1, math.ceil(-along / REACH) + 1)
    if count > MOST_SAMPLES:
        raise ValueError(f"it takes {count:,} samples to yield this gradient")
    scale = _scale(along, 1.0 / count)
    return np.repeat(scale * wanted[None], count, axis=0), np.full(count, -1.0)


def _scale(along: float, share: float) -> float:
    """Solve c s(c a) = share for the least c, by bisection on the part where the left side rises."""
    top = 2.0 * share if along >= 0 else 1.2784645 / -along  # where t / (1 + exp t) is at its most
    low, high = 0.0, top
    for _ in range(200):
        middle = (low + high) / 2.0
        if middle * math.exp(-np.logaddexp(0.0, -middle * along)) < share:
            low = middle
        else:
            high = middle
    return high


def training_round(*, honest: int, faulty: int, dimensions: int, seed: int) -> Scene:
    """Make a round of contributors with data of their own: each row is a gradient over 64 samples.

    Everyone's features are centred elsewhere, so that honest updates differ. ``harm`` is left to the caller.
    """
    random = np.random.Generator(np.random.PCG64(seed))
    truth = random.normal(size=dimensions) / math.sqrt(dimensions)
    weights = 0.3 * random.normal(size=dimensions) / math.sqrt(dimensions)

    def one(centre: Floats) -> tuple[Floats, Floats]:
        features = centre + random.normal(size=(64, dimensions))
        labels = np.where(features @ truth + 0.1 * random.normal(size=64) > 0, 1.0, -1.0)
        return gradient(weights, features, labels) / 64.0, gradient(weights, features, -labels) / 64.0

    centres = 0.5 * random.normal(size=(honest + faulty, dimensions))
    before = [one(centre)[0] for centre in centres[faulty:]]
    now = [one(centre) for centre in centres]
    return Scene(
        honest=np.array([row for row, _ in now[faulty:]]),
        previous=np.array(before),
        own=np.array([row for row, _ in now[:faulty]]),
        own_flipped=np.array([row for _, row in now[:faulty]]),
        harm=lambda _rows: 0.0,
    )
