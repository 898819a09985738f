"""Clipping: the factors that bring lengths down to the greatest one allowed."""

from __future__ import annotations

import numpy as np

from provenance.aggregation.updates import Floats

__all__ = ["shortened"]


def shortened(lengths: Floats, most: float) -> Floats:
    """Give the factors that bring lengths down to ``most``: 1 for those that are no longer."""
    longer = lengths > most
    factors: Floats = np.where(longer, most / np.where(longer, lengths, 1.0), 1.0)
    return factors
