"""Bucketing: rows are shuffled by a committed public seed, and each ``size`` of them averaged."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping

import numpy as np

from provenance.aggregation.geometry import Geometry
from provenance.aggregation.pre.model import Grouped, Step
from provenance.aggregation.rule import Choices, Parameter

__all__ = ["BUCKETING"]


def _mix(space: Geometry, choices: Choices) -> Grouped:
    size, seed = int(choices.parameters["size"]), int(choices.parameters["seed"])
    shuffled = sorted(range(space.n), key=lambda row: _lot(seed, sorted(space.rank).index(space.rank[row])))
    buckets = [shuffled[first : first + size] for first in range(0, space.n, size)]
    members = np.zeros((len(buckets), space.n))
    for bucket, rows in enumerate(buckets):
        members[bucket, rows] = 1.0
    return Grouped(members, tuple(range(len(buckets))))


def _lot(seed: int, place: int) -> bytes:
    return hashlib.sha256(f"provenance bucketing {seed} {place}".encode("ascii")).digest()


def _kappa(n: int, faulty: int, kappa: float, parameters: Mapping[str, float]) -> float | None:
    """Bound the mean of the buckets without faulty rows by that of the honest rows, of which they hold some.

    Of |S| = n-f rows the buckets hold |A| >= (n/s - f)s: |mean_A - mean_S|^2 <= (|S|/|A| - 1) V, and the buckets'
    variance is at most |S|/|A| V.
    """
    size = int(parameters["size"])
    if n % size:
        return None
    most = (n - faulty) / ((n // size - faulty) * size)
    return (math.sqrt(kappa * most) + math.sqrt(most - 1.0)) ** 2


BUCKETING = Step(
    name="bucketing",
    title="means of `size` rows each, shuffled by a committed seed",
    mix=_mix,
    kappa=_kappa,
    source="derived in docs/aggregation.md, where size divides n",
    parameters={
        "size": Parameter(2.0, "rows in a bucket", least=1.0, open=False, whole=True),
        "seed": Parameter(0.0, "the public seed, committed to before the updates", open=False, whole=True),
    },
    rows=lambda n, parameters: -(-n // int(parameters["size"])),
)
