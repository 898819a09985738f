"""Voting rights: checked, and as whole numbers where sums of them must be exact."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from provenance.aggregation.updates import Floats

__all__ = ["checked_rights", "whole_rights"]

FITS = 1 << 60


def checked_rights(given: Sequence[float] | Any, n: int) -> Floats:
    """Give voting rights as float64 [n]; raises ValueError unless there are n, finite, none negative, not all zero."""
    rights = np.array(given, np.float64)
    if rights.shape != (n,):
        raise ValueError(f"there are {n} updates and voting rights of shape {rights.shape}")
    if not np.isfinite(rights).all() or (rights < 0).any() or not rights.any():
        raise ValueError("voting rights must be finite, none below zero, and not all zero")
    if rights.max() > 2.0**500 or rights[rights > 0].min() < 2.0**-500:
        raise ValueError("voting rights must lie between 2^-500 and 2^500, or be zero")
    return rights + 0.0


def whole_rights(rights: Floats) -> list[int]:
    """Scale rights to whole numbers whose sum fits an int64: exactly as their shortest decimals where that can be.

    So 0.1 + 0.2 is 0.3 here. Else they are rounded to 2^-60 of their sum.
    """
    exact = [Fraction(repr(value)) for value in rights.tolist()]
    common = math.lcm(*(value.denominator for value in exact))
    scaled = [int(value * common) for value in exact]
    shared = math.gcd(*scaled)
    scaled = [value // shared for value in scaled]
    everything = sum(scaled)
    if everything < FITS:
        return scaled
    return [round(Fraction(value * FITS, everything)) for value in scaled]
