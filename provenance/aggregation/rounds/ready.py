"""A result that was computed in the read that verified its updates, and which nobody sees until it is published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from provenance.aggregation.rounds.output import Output
from provenance.aggregation.rounds.result import Computed
from provenance.aggregation.rounds.stream import OpenUpdate

if TYPE_CHECKING:
    from provenance.aggregation.rounds.computing import Recipe

__all__ = ["Ready"]


class Ready(NamedTuple):
    """What was combined, how, and the open file that it was written to.

    ``names`` are those of the updates in the folder of the round, each the row of its place.
    """

    names: tuple[str, ...]
    rights: tuple[float, ...]
    recipe: Recipe
    described: Mapping[str, str]
    computed: Computed
    output: Output

    def is_of(
        self,
        updates: Sequence[OpenUpdate],
        rights: Sequence[float],
        recipe: Recipe,
        described: Mapping[str, str],
        target: Path,
    ) -> bool:
        """Say whether this is what combining these updates comes to."""
        asked = (tuple(update.name for update in updates), tuple(rights), recipe, dict(described), target)
        return asked == (self.names, self.rights, self.recipe, dict(self.described), self.output.path)
