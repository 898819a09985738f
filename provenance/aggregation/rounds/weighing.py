"""In which columns of a round it is counted whose values a rule by coordinate took."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from provenance.aggregation.weights import SAMPLING, Sample
from provenance.attestations.weighing import Weighing

__all__ = ["is_known", "sample_for", "weighing_of"]

_ALL: Final = 1 << 22  # columns of which every one is counted: a sample of fewer would be too few windows


def sample_for(digests: Iterable[str], d: int) -> Sample:
    """Choose columns in which the values of updates are counted: all of a few, else where the root digests say.

    So no contributor knows the columns before all updates are fixed, whatever the order of the updates.
    """
    if d <= _ALL:
        return Sample(d)
    return Sample(d, hashlib.sha256("\n".join(["mean-weight/1", *sorted(digests)]).encode()).digest())


def weighing_of(sample: Sample) -> Weighing:
    """Say what mean weights over a sample are."""
    return Weighing("mean-weight", sample.columns, sample.d, "" if sample.seed is None else SAMPLING)


def is_known(weighing: Weighing) -> bool:
    """Say whether the same can be computed here."""
    return weighing.kind in {"factor", "mean-weight"} and weighing.sampling in {"", SAMPLING}
