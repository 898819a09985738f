"""The edges with the stream: what was made from each artifact?

What nobody signed, or a stranger did, leads downstream too: to miss something tainted would be worse than to name too
much. Only where an accepted statement counts the records that were taken of each input, and none was of this one, is
its output not tainted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provenance.lineage.authority import Authority
from provenance.lineage.claims import Claim
from provenance.lineage.index import Met, Statements
from provenance.lineage.references import Reference, named
from provenance.lineage.traversal import Edge

__all__ = ["Downstream"]


class Downstream:
    """Expands a traversal from artifacts to whatever was made from them.

    ``about`` holds a claim about each of the artifacts that it started from.
    """

    def __init__(self, statements: Statements, authority: Authority) -> None:
        self._statements, self._authority = statements, authority
        self._has_notes = statements.has_notes
        self.about: dict[str, Claim] = {}

    def expand(self, level: Sequence[Reference]) -> Iterator[Edge]:
        """Yield the edges from each artifact to what was made from it."""
        statements = self._statements
        if not self.about:
            self.about = {each.asked.node: each.claim for each in reversed(statements.about(level))}
        by_name = {each.name: each for each in level if each.sha256 and each.name} if self._has_notes else {}
        noted = statements.using([named(name) for name in by_name])
        met = statements.using(level)
        met += [Met(by_name[each.asked.name], each.claim, each.position) for each in noted]
        for each in sorted(met, key=lambda one: one.claim.where):
            if self._taints(each):
                for subject in each.claim.subjects:
                    yield Edge(each.asked, subject, each.claim, each.position)

    def _taints(self, met: Met) -> bool:
        claim = met.claim
        if claim.claimed_signer:
            return False
        none_taken = claim.unknown_records == 0 and claim.inputs[met.position].taken == 0
        return not (none_taken and self._authority.believe(claim).accepted)
