"""What the coefficients in a round's statement are: its ``internalParameters.coefficients``."""

from __future__ import annotations

from typing import Final

import msgspec

__all__ = ["FACTORS", "Weighing"]


class Weighing(msgspec.Struct, frozen=True, omit_defaults=True):
    """What coefficients are: a ``factor`` in a weighted sum, or a ``mean-weight`` over ``columns`` of ``of`` columns.

    ``sampling`` names how the columns were chosen, "" where all were counted.
    """

    kind: str
    columns: int = 0
    of: int = 0
    sampling: str = ""

    def __str__(self) -> str:
        """Say it for people."""
        if self.kind == "factor":
            return "factor in the sum"
        return f"mean weight, counted in {self.columns:,} of {self.of:,} columns"


FACTORS: Final = Weighing("factor")
