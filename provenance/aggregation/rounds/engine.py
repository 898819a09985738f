"""On what a round is computed: threads of this process, or whatever an adapter brings; the result is the same."""

from __future__ import annotations

from typing import Final, NamedTuple

from provenance.aggregation.passes import Passes
from provenance.aggregation.rounds.folder import Elsewhere

__all__ = ["HERE", "Engine"]


class Engine(NamedTuple):
    """Where updates are examined, and where passes over their columns are taken; None: in threads of this process.

    ``passes`` gets ``StreamedUpdates``, whose tags are public wherever ``examine`` is given.
    """

    examine: Elsewhere | None = None
    passes: Passes | None = None


HERE: Final = Engine()
