"""One record: back to the contributor who signed it, with a proof that anybody can check, and forward.

The origins that a curator notes lead the way, and prove nothing. What proves is that the record's leaf is in the batch:
the leaves beside the batch's bundle, or the batch itself, have the Merkle root that its contributor signed.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, NamedTuple

import msgspec

from policies import Finding, finding
from provenance.artifacts.merkle import DIGEST_SIZE, leaf_hash
from provenance.artifacts.records.reading import read_records
from provenance.attestations.contribution import Contribution, Records, read_contribution
from provenance.attestations.slsa import read_provenance
from provenance.attestations.statement import Statement
from provenance.attestations.strict_json import convert
from provenance.errors import Malformed, ProvenanceError, Undecided, UsageError
from provenance.lineage.authority import Belief
from provenance.lineage.claims import CONTRIBUTION
from provenance.lineage.curating import record_format_of
from provenance.lineage.index import reopened
from provenance.lineage.opening import Opened
from provenance.lineage.origins import read_origins
from provenance.lineage.places import place_of
from provenance.lineage.record_checks import cut_format, records_of, records_subject
from provenance.lineage.record_proofs import InclusionProof, RecordTree, prove_record, record_tree
from provenance.lineage.references import Reference, reference_to
from provenance.lineage.statements import leaves_path
from provenance.lineage.traversal import Edge

__all__ = ["RecordOrigin", "RecordTrace", "origin_of_record", "read_leaf"]

RecordOrigin = Literal["unchanged", "edited", "unknown"]
_MOST_STEPS: Final = 1000
# A tree takes 64 bytes a record in memory; whoever writes a statement may claim any number.
_MOST_RECORDS: Final = 2**26


class RecordTrace(msgspec.Struct, frozen=True, kw_only=True):
    """Where a record comes from.

    ``batch`` is the signed batch and ``batch_index`` the record's index in it; ``proof`` shows that the leaf there is
    in the signed tree: the record itself where it is "unchanged", the one that it was made from where it is "edited".
    ``claimed_by`` are all contributors in whose batches the record is, as far as these were looked into.
    """

    index: int
    origin: RecordOrigin
    contributor: str = ""
    batch: str = ""
    batch_index: int = -1
    statement: str = ""
    proof: InclusionProof | None = None
    claimed_by: tuple[str, ...] = ()


class Followed(NamedTuple):
    """The answer, the edges that led to the batch, who signed the batch, and what was found on the way."""

    record: RecordTrace
    edges: tuple[Edge, ...]
    belief: Belief | None
    findings: tuple[Finding, ...]


def read_leaf(path: Path, index: int, start: Reference, records: Records | None) -> tuple[bytes, bytes]:
    """Cut an artifact into records and return all its leaves and that of one record.

    Raises ``UsageError`` where there is no such record, ``Undecided`` (ART009) where the artifact has changed since
    ``start`` was read, ``Malformed`` (CON016) where it cannot be cut.
    """
    leaves = bytearray()
    form = cut_format(records) if records is not None else record_format_of(path)
    found = read_records(path, form, keep=leaves.extend)
    if reference_to(records_subject(path, found)).sha256 != start.sha256:
        raise Undecided(f"{path} changed while it was read", code="ART009")
    if index >= found.count:
        raise UsageError(
            f"{path} has {found.count:,} records, and none with the index {index}",
            hint="records are counted from 0",
        )
    return bytes(leaves), bytes(leaves[index * DIGEST_SIZE : (index + 1) * DIGEST_SIZE])


def origin_of_record(path: Path, index: int, start: Reference, opened: Opened) -> Followed:
    """Follow one record of an artifact to the batch that it is from."""
    return _Following(path, index, start, opened).run()


def records_in(statement: Statement) -> Records | None:
    """Return what a contribution, or a statement of curation, says of the records of its subject."""
    if statement.predicate is None:
        return None
    if "buildDefinition" not in statement.predicate:
        contribution = read_contribution(statement)
        return records_of(contribution) if contribution.records is not None else None
    told = read_provenance(statement).build_definition.internal_parameters.get("records")
    return convert(told, Records, what="what it says of records") if told is not None else None


class _SignedTree(NamedTuple):
    """The tree over the records of a batch, whose root its contributor signed, and what it was built from."""

    tree: RecordTree
    source: Path
    contribution: Contribution

    def leaf(self, index: int) -> bytes | None:
        """Return the leaf that a record has without salt; None where that cannot be told."""
        if not self.tree.records.salted:
            return self.tree.tree.leaf(index)
        if self.source.suffix == ".leaves":
            return None
        record = prove_record(self.source, index, self.contribution).record
        return leaf_hash(b64decode(record)) if record is not None else None

    def prove(self, index: int) -> InclusionProof:
        """Prove that the leaf is in the tree, with its record and salt where there is one."""
        if self.tree.records.salted and self.source.suffix != ".leaves":
            return prove_record(self.source, index, self.contribution)
        return self.tree.prove(index)


class _Following:
    """The state of following one record from artifact to artifact."""

    def __init__(self, path: Path, index: int, start: Reference, opened: Opened) -> None:
        self.path, self.index, self.opened = path, index, opened
        self.start = self.reference = start
        self.leaf = b""
        self.leaves: bytes | None = None
        self.at = index
        self.edges: list[Edge] = []
        self.findings: list[Finding] = []
        self.claimed: dict[str, None] = {}

    def run(self) -> Followed:
        """Go from artifact to artifact until somebody contributed one."""
        beliefs = self._beliefs(self.reference)
        self.leaves, self.leaf = read_leaf(self.path, self.index, self.start, self._cut_as(beliefs))
        for _ in range(_MOST_STEPS):
            contributions = [
                each for each in beliefs if each.claim.kind == CONTRIBUTION and each.claim.records >= 0
            ]
            if contributions:
                return self._in_batch(contributions)
            if not self._step(beliefs):
                break
            beliefs, self.leaves = self._beliefs(self.reference), None
        return self._unknown()

    def _beliefs(self, reference: Reference) -> list[Belief]:
        met = self.opened.statements.about([reference])
        found = [self.opened.authority.believe(each.claim) for each in met if not each.claim.claimed_signer]
        # Accepted ones first: others lead the way only where there are none.
        return sorted(found, key=lambda each: (not each.accepted, bool(each.findings), each.claim.where))

    def _cut_as(self, beliefs: list[Belief]) -> Records | None:
        for each in beliefs:
            if each.claim.records >= 0:
                try:
                    return records_in(reopened(each.claim).statement)
                except Malformed:
                    continue
        return None

    def _step(self, beliefs: list[Belief]) -> bool:
        """Go to the input that the origins of one statement name."""
        for each in beliefs:
            if each.claim.kind != "curate":
                continue
            try:
                origin = read_origins(each.claim).at(self.at)
            except ProvenanceError as error:
                self.findings.append(finding(error.code or "LIN019", error.message, path=each.claim.where))
                continue
            if origin is None or origin[0] >= len(each.claim.inputs):
                return False
            position, self.at = origin
            target = each.claim.inputs[position].reference
            self.edges.append(Edge(self.reference, target, each.claim, position))
            self._rivals(each, position)
            self.reference = target
            return True
        return False

    def _rivals(self, curated: Belief, taken: int) -> None:
        """Find other inputs of the same curation that hold the very same record."""
        for position, each in enumerate(curated.claim.inputs):
            if position != taken:
                self.claimed.update(dict.fromkeys(self._holders(each.reference)))

    def _holders(self, reference: Reference) -> Iterator[str]:
        for each in self._beliefs(reference):
            if each.accepted and each.claim.kind == CONTRIBUTION and each.claim.records >= 0:
                found = self._tree(each, reference)
                if found is not None and _holds(found.tree, self.leaf):
                    yield each.member

    def _in_batch(self, contributions: list[Belief]) -> Followed:
        """Show that the record is in the batch, for the first contribution that is accepted, else for the first."""
        best = contributions[0]
        for each in contributions:
            if each.accepted:
                self.claimed[each.member] = None
        found = self._tree(best, self.reference)
        if found is None or self.at >= found.tree.tree.count:
            self.findings.append(self._no_proof(best, found))
            return self._answer(best, None, "unknown")
        signed = found.leaf(self.at)
        if signed is None:
            said = f"the leaves of {self.reference.name} are salted, and its salts are not here"
            self.findings.append(finding("LIN016", said, where=f"record {self.index}"))
            return self._answer(best, None, "unknown")
        if signed == self.leaf:
            return self._answer(best, found.prove(self.at), "unchanged")
        if self.edges:
            said = f"it was made from record {self.at} of {self.reference.name}"
            self.findings.append(finding("LIN017", said, where=f"record {self.index}"))
        else:
            said = "the record is not the one that was signed"
            self.findings.append(finding("LIN019", said, path=best.claim.where))
        return self._answer(best, found.prove(self.at), "edited")

    def _no_proof(self, best: Belief, found: _SignedTree | None) -> Finding:
        if found is not None:
            count = found.tree.tree.count
            said = f"record {self.at} of {self.reference.name} is said to be its origin, which has {count:,}"
            return finding("LIN019", said, path=best.claim.where)
        said = f"neither leaves nor records of {self.reference.name} that lead to the signed root are here"
        return finding("LIN016", said, where=f"record {self.index}")

    def _tree(self, belief: Belief, reference: Reference) -> _SignedTree | None:
        """Build the signed tree from the batch where it lies, or from the leaves beside the bundle."""
        try:
            contribution = read_contribution(reopened(belief.claim).statement)
        except ProvenanceError:
            return None
        records = contribution.records
        if records is None or records.count > _MOST_RECORDS:
            return None
        for source in self._sources(belief, reference, salted=records.salted):
            try:
                if source.exists():
                    return _SignedTree(record_tree(source, contribution), source, contribution)
            except ProvenanceError as error:
                if error.code == "CON014":
                    self.findings.append(
                        finding("LIN019", error.message, path=str(source), severity="warning")
                    )
        return None

    def _sources(self, belief: Belief, reference: Reference, *, salted: bool) -> list[Path]:
        """Where the leaves of a batch may come from; the records tell more than leaves that are salted."""
        batch = place_of(belief.claim, reference)
        found = [leaves_path(Path(belief.claim.where))]
        found += [Path(batch)] if batch is not None else []
        found += [self.path] if reference.node == self.start.node else []
        return found[::-1] if salted else found

    def _unknown(self) -> Followed:
        said = f"no statement tells where record {self.at} of {self.reference.name} comes from"
        self.findings.append(finding("LIN016", said, where=f"record {self.index}"))
        record = RecordTrace(index=self.index, origin="unknown")
        return Followed(record, tuple(self.edges), None, tuple(self.findings))

    def _answer(self, best: Belief, proof: InclusionProof | None, origin: RecordOrigin) -> Followed:
        claimed = tuple(sorted(each for each in self.claimed if each))
        if len(claimed) > 1:
            said = f"the record is in batches of {', '.join(claimed)}"
            self.findings.append(finding("LIN018", said, where=f"record {self.index}"))
        self.findings.extend(best.findings)
        if not best.accepted and not best.findings:
            said = f"the batch {self.reference.name} is signed by {best.who}, whom nobody accepts"
            self.findings.append(finding("LIN002", said, path=best.claim.where))
        record = RecordTrace(
            index=self.index,
            origin=origin,
            contributor=best.member or best.claim.contributor,
            batch=self.reference.name,
            batch_index=self.at,
            statement=best.claim.where,
            proof=proof,
            claimed_by=claimed,
        )
        return Followed(record, tuple(self.edges), best, tuple(self.findings))


def _holds(tree: RecordTree, leaf: bytes) -> bool:
    leaves = tree.tree.levels[0]
    at = leaves.find(leaf)
    while at >= 0 and at % DIGEST_SIZE:
        at = leaves.find(leaf, at + 1)
    return at >= 0
