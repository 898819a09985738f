"""The edges against the stream, and what is made of each artifact on the way: where does it come from?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple

from policies import Finding
from provenance.attestations.slsa import DERIVATION_KINDS
from provenance.lineage.authority import Authority, Belief
from provenance.lineage.claims import CONTRIBUTION, FOREIGN_BUILD, REVOCATION, SIGNATURE, UNSIGNED
from provenance.lineage.index import Met, Statements
from provenance.lineage.references import Reference, named, same_artifact
from provenance.lineage.traversal import Edge

__all__ = ["DERIVATIONS", "State", "Upstream", "Verdict"]

DERIVATIONS: Final = frozenset({*DERIVATION_KINDS, FOREIGN_BUILD, UNSIGNED})

# derived, contributed, signed: by somebody accepted. asserted: somebody says so. wrong: it does not stand.
State = Literal["derived", "contributed", "signed", "asserted", "wrong", "unknown"]


class Verdict(NamedTuple):
    """What is made of one artifact: the beliefs that count, the edges that they give, and what is wrong with others."""

    reference: Reference
    state: State
    beliefs: tuple[Belief, ...] = ()
    edges: tuple[Edge, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def status(self) -> Literal["proven", "asserted", "missing"]:
        """How well it is known where this one comes from, whatever is known of its inputs."""
        if self.state in {"derived", "contributed", "signed"}:
            return "proven"
        return "missing" if self.state == "unknown" else "asserted"


class Upstream:
    """Expands a traversal from artifacts to what they were made from, and keeps a verdict on each."""

    def __init__(self, statements: Statements, authority: Authority, starts: Iterable[Reference]) -> None:
        self._statements, self._authority = statements, authority
        self._has_notes = statements.has_notes
        self._starts = {start.node for start in starts}
        self.verdicts: dict[str, Verdict] = {}

    def expand(self, level: Sequence[Reference]) -> Iterator[Edge]:
        """Yield the edges from each artifact to its inputs."""
        met: dict[str, list[Met]] = {reference.node: [] for reference in level}
        for each in self._statements.about(level):
            met[each.asked.node].append(each)
        noted = {}
        if self._has_notes:
            noted = self._noted([each for each in level if self._is_unsigned(met[each.node])])
        for reference in level:
            verdict = self._verdict(reference, met[reference.node] + noted.get(reference.node, []))
            self.verdicts[reference.node] = verdict
            yield from verdict.edges

    def _is_unsigned(self, met: list[Met]) -> bool:
        return not any(self._authority.believe(each.claim).accepted for each in met if each.claim.inputs)

    def _noted(self, references: Sequence[Reference]) -> dict[str, list[Met]]:
        """Look up by name what other tools noted of these; only of what nobody accepted signed."""
        nodes = {reference.name: reference for reference in references if reference.sha256 and reference.name}
        found: dict[str, list[Met]] = {}
        for each in self._statements.about([named(name) for name in nodes]):
            if each.claim.kind == UNSIGNED:
                reference = nodes[each.asked.name]
                found.setdefault(reference.node, []).append(Met(reference, each.claim, each.position))
        return found

    def _verdict(self, reference: Reference, met: list[Met]) -> Verdict:
        # A withdrawal says nothing of where something comes from; what it does is for whoever believes to know.
        claims = {
            (each.claim.where, each.claim.statement): each.claim
            for each in met
            if each.claim.kind != REVOCATION
        }
        beliefs = [self._authority.believe(claims[key]) for key in sorted(claims)]
        withdrawn = self._authority.withdrawn(reference)
        if withdrawn is not None:
            edges = tuple(_edges(reference, beliefs))
            return Verdict(reference, "wrong", tuple(beliefs), edges, (withdrawn,))
        accepted = [each for each in beliefs if each.accepted]
        wrong = tuple(found for each in beliefs for found in each.findings)
        states: tuple[tuple[State, frozenset[str]], ...] = (
            ("derived", DERIVATIONS - {UNSIGNED}),
            ("contributed", frozenset({CONTRIBUTION})),
            ("signed", frozenset({SIGNATURE})),
        )
        for state, kinds in states:
            counted = [
                each for each in accepted if each.claim.kind in kinds and _says_something(each, reference)
            ]
            if counted and (state != "signed" or reference.node not in self._starts):
                used = [each for each in accepted if each in counted or each.claim.kind == CONTRIBUTION]
                # A name joins nothing for certain, whoever signed the statement about what is called so.
                known: State = state if reference.sha256 else "asserted"
                return Verdict(reference, known, tuple(used), tuple(_edges(reference, used)), wrong)
        return self._unaccepted(reference, beliefs, wrong)

    def _unaccepted(self, reference: Reference, beliefs: list[Belief], wrong: tuple[Finding, ...]) -> Verdict:
        """Nobody who is accepted says where it comes from; perhaps somebody else does."""
        said = [
            each
            for each in beliefs
            if not each.accepted
            and (each.claim.kind in DERIVATIONS or each.claim.kind == CONTRIBUTION)
            and not each.claim.claimed_signer
        ]
        if reference.node not in self._starts:
            said += [
                each for each in beliefs if each.claim.kind == SIGNATURE and not each.claim.claimed_signer
            ]
        edges = tuple(_edges(reference, said))
        if wrong:
            return Verdict(reference, "wrong", tuple(beliefs), edges, wrong)
        return Verdict(reference, "asserted" if said else "unknown", tuple(said), edges)


def _says_something(belief: Belief, reference: Reference) -> bool:
    """A derivation without an input, or from the artifact itself, does not tell where it comes from."""
    claim = belief.claim
    return claim.kind not in DERIVATIONS or any(
        not _is_itself(reference, each.reference) for each in claim.inputs
    )


def _is_itself(one: Reference, other: Reference) -> bool:
    return bool(one.sha256) and one.sha256 == other.sha256 and same_artifact(one, other)


def _edges(reference: Reference, beliefs: Iterable[Belief]) -> Iterator[Edge]:
    for belief in beliefs:
        for position, each in enumerate(belief.claim.inputs):
            if each.reference.node and not _is_itself(reference, each.reference):
                yield Edge(reference, each.reference, belief.claim, position)
