"""What the coefficients in a round's statement are, and in which columns they were counted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

import msgspec

from provenance.aggregation.weights import SAMPLING, Sample

__all__ = ["FACTORS", "Weighing", "sample_for", "weighing_of"]

_ALL: Final = 1 << 22  # columns of which every one is counted: a sample of fewer would be too few windows


class Weighing(msgspec.Struct, frozen=True, omit_defaults=True):
    """What coefficients are: a ``factor`` in a weighted sum, or a ``mean-weight`` over ``columns`` of ``of`` columns.

    ``sampling`` names how the columns were chosen, "" where all were counted.
    """

    kind: str
    columns: int = 0
    of: int = 0
    sampling: str = ""

    @property
    def known(self) -> bool:
        """Say whether the same can be computed here."""
        return self.kind in ("factor", "mean-weight") and self.sampling in ("", SAMPLING)

    def __str__(self) -> str:
        """Say it for people."""
        if self.kind == "factor":
            return "factor in the sum"
        return f"mean weight, counted in {self.columns:,} of {self.of:,} columns"


FACTORS: Final = Weighing("factor")


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
