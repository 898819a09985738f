"""Proofs that one record is among those that a contributor signed; JSON that a few lines of any language can check."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from os import PathLike
from pathlib import Path
from typing import Annotated, Final

import msgspec

from policies import Finding, finding
from provenance.artifacts.merkle import MerkleTree, leaf_hash, root_from_path, tree_of
from provenance.artifacts.reading import Progress
from provenance.artifacts.records.reading import SALT_SIZE
from provenance.attestations.contribution import MAX_RECORDS, TREE_ALGORITHM, Contribution, Records
from provenance.attestations.fields import Sha256
from provenance.attestations.strict_json import decode
from provenance.errors import Refused, Undecided, UsageError
from provenance.lineage.record_checks import read_leaves_file, read_signed_records, records_of
from provenance.lineage.record_salts import salts_path

__all__ = [
    "MAX_PROOF_BYTES",
    "InclusionProof",
    "RecordTree",
    "encode_proof",
    "parse_proof",
    "prove_record",
    "record_tree",
    "verify_proof",
]

AnyPath = str | PathLike[str]

# A proof of 1 MiB of record, as base64, with 40 hashes.
MAX_PROOF_BYTES: Final = 2 * 1024 * 1024
_MAX_SHOWN: Final = 1024 * 1024
_LEAVES: Final = ".leaves"


class InclusionProof(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A record's leaf, its index from 0 among ``count`` leaves, and its audit path up to ``root``, all in hex.

    ``record`` are the bytes that the leaf hashes, in base64: those of a line, a CSV slice or a sample, and of a Parquet
    row or a file as their rules say; it is left out above 1 MiB. ``salt`` stands before it where there are salts.
    """

    schema: Annotated[int, msgspec.Meta(ge=1, le=1)] = msgspec.field(default_factory=lambda: 1)
    leaf_rule: Annotated[str, msgspec.Meta(max_length=50)]
    tree_algorithm: Annotated[str, msgspec.Meta(max_length=50)]
    index: Annotated[int, msgspec.Meta(ge=0, lt=MAX_RECORDS)]
    count: Annotated[int, msgspec.Meta(ge=1, le=MAX_RECORDS)]
    leaf: Sha256
    path: Annotated[tuple[Sha256, ...], msgspec.Meta(max_length=64)]
    root: Sha256
    record: str | None = None
    salt: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")] | None = None


class RecordTree(msgspec.Struct, frozen=True):
    """The tree over a contribution's records, whose root was compared with the signed one."""

    tree: MerkleTree
    records: Records

    def prove(self, index: int, *, record: bytes | None = None, salt: bytes | None = None) -> InclusionProof:
        """Make the proof of a record by its index from 0; raises ``UsageError`` where there is no such record."""
        try:
            leaf, path = self.tree.leaf(index), self.tree.path(index)
        except IndexError as error:
            raise UsageError(str(error), hint="records are counted from 0") from None
        shown = record if record is not None and len(record) <= _MAX_SHOWN else None
        return InclusionProof(
            leaf_rule=self.records.leaf_rule,
            tree_algorithm=self.records.tree_algorithm,
            index=index,
            count=self.tree.count,
            leaf=leaf.hex(),
            path=tuple(each.hex() for each in path),
            root=self.tree.root.hex(),
            record=b64encode(shown).decode() if shown is not None else None,
            salt=salt.hex() if salt is not None and shown is not None else None,
        )


def record_tree(
    source: AnyPath,
    contribution: Contribution,
    *,
    salts: AnyPath | None = None,
    progress: Progress | None = None,
) -> RecordTree:
    """Build the tree from the records themselves, or from their ``.leaves``, and hold it against the signed root.

    It takes 64 bytes a record; a proof then takes a few microseconds. Raises ``Refused`` (CON014) for another root,
    and as ``read_records`` does.
    """
    return _tree(Path(source), records_of(contribution), salts, None, progress)[0]


def prove_record(
    source: AnyPath,
    index: int,
    contribution: Contribution,
    *,
    salts: AnyPath | None = None,
    progress: Progress | None = None,
) -> InclusionProof:
    """Prove that a record, by its index from 0, is among those that were signed; raises as ``record_tree`` does.

    From the records themselves the proof holds the record and its salt; from ``.leaves`` it holds neither.
    """
    source, records = Path(source), records_of(contribution)
    tree, record = _tree(source, records, salts, index, progress)
    salt = None
    if records.salted and record is not None:
        salt = _salt(Path(salts) if salts is not None else salts_path(source), index)
    return tree.prove(index, record=record, salt=salt)


def _tree(
    source: Path, records: Records, salts: AnyPath | None, wanted: int | None, progress: Progress | None
) -> tuple[RecordTree, bytes | None]:
    if source.suffix == _LEAVES:
        return RecordTree(tree_of(read_leaves_file(source, records)), records), None
    leaves = bytearray()
    found: list[bytes] = []

    def watch(first: int, batch: list[bytes]) -> None:
        if wanted is not None and first <= wanted < first + len(batch):
            found.append(batch[wanted - first])

    read_signed_records(source, records, salts=salts, keep=leaves.extend, watch=watch, progress=progress)
    tree = tree_of(bytes(leaves))
    if tree.count != records.count or tree.root.hex() != records.merkle_root:
        raise Refused(f"the records of {source} are not those that were signed", code="CON014")
    return RecordTree(tree, records), found[0] if found else None


def _salt(path: Path, index: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(index * SALT_SIZE)
            return file.read(SALT_SIZE)
    except OSError as error:
        raise Undecided(f"cannot read the salts {path}: {error.strerror}", code="CON020") from error


def encode_proof(proof: InclusionProof) -> bytes:
    """Write a proof as JSON on lines of its own."""
    return msgspec.json.format(msgspec.json.encode(proof)) + b"\n"


def parse_proof(data: bytes) -> InclusionProof:
    """Read a proof from anybody's hands, bounded; raises ``Malformed`` (SIG008)."""
    return decode(data, InclusionProof, what="the proof", max_bytes=MAX_PROOF_BYTES, max_elements=1000)


def verify_proof(
    proof: InclusionProof, contribution: Contribution, *, record: bytes | None = None
) -> Finding | None:
    """Hold a proof against a contribution from a verified statement; returns CON018 where it is wrong, else None.

    ``record`` are the bytes that the leaf must hash, where they come from elsewhere than the proof. Without either,
    only the leaf is proven.
    """
    problem = _problem(proof, records_of(contribution), record)
    return finding("CON018", problem, where=f"record {proof.index}") if problem else None


def _problem(proof: InclusionProof, records: Records, record: bytes | None) -> str:
    signed = (records.leaf_rule, TREE_ALGORITHM, records.count, records.merkle_root)
    if (proof.leaf_rule, proof.tree_algorithm, proof.count, proof.root) != signed:
        return "the proof is for other records than those that were signed"
    if records.salted != (proof.salt is not None) and (record is not None or proof.record is not None):
        return "the proof has a salt where there is none, or none where there is one"
    leaf = bytes.fromhex(proof.leaf)
    try:
        shown = b64decode(proof.record, validate=True) if proof.record is not None else None
    except (binascii.Error, ValueError):
        return "the record in the proof is not base64"
    for given in (record, shown):
        if given is not None and leaf_hash(bytes.fromhex(proof.salt or "") + given) != leaf:
            return "the record is not the one that the proof is for"
    path = [bytes.fromhex(each) for each in proof.path]
    if root_from_path(leaf, proof.index, proof.count, path) != bytes.fromhex(proof.root):
        return "the proof does not lead to the signed Merkle root"
    return ""
