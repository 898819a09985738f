"""The edges with the stream: what was made from each artifact?

What nobody signed, or a stranger did, leads downstream too: to miss something tainted would be worse than to name too
much. Only where an accepted statement counts the records that were taken of each input, and none was of this one, is
its output not tainted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from provenance.lineage.authority import Authority
from provenance.lineage.index import Met, Statements
from provenance.lineage.references import Reference, named
from provenance.lineage.traversal import Edge

__all__ = ["Downstream"]

_AT_ONCE: Final = 128


class Downstream:
    """Expands a traversal from artifacts to whatever was made from them."""

    def __init__(self, statements: Statements, authority: Authority) -> None:
        self._statements, self._authority = statements, authority
        self._has_notes = statements.has_notes

    def expand(self, level: Sequence[Reference]) -> Iterator[Edge]:
        """Yield the edges from each artifact to what was made from it.

        A few artifacts at a time: what was looked up is used while it is still in the processor's cache.
        """
        for start in range(0, len(level), _AT_ONCE):
            for each in self._met(level[start : start + _AT_ONCE]):
                if self._taints(each):
                    for subject in each.claim.subjects:
                        yield Edge(each.asked, subject, each.claim, each.position)

    def _met(self, some: Sequence[Reference]) -> list[Met]:
        """Look up what used some artifacts, by digest and, in what nobody signed, by name."""
        met = self._statements.using(some)
        if not self._has_notes:
            return met
        by_name = {each.name: each for each in some if each.sha256 and each.name}
        noted = self._statements.using([named(name) for name in by_name])
        met += [Met(by_name[each.asked.name], each.claim, each.position, each.used) for each in noted]
        places = {each.node: place for place, each in enumerate(some)}
        return sorted(met, key=lambda each: (places[each.asked.node], each.claim.where))

    def _taints(self, met: Met) -> bool:
        claim = met.claim
        if claim.claimed_signer:
            return False
        none_taken = claim.unknown_records == 0 and met.used is not None and met.used.taken == 0
        return not (none_taken and self._authority.believe(claim).accepted)
