"""Claims as the index keeps them: MessagePack, with digests as the bytes that they are."""

from __future__ import annotations

import msgspec

from provenance.lineage.claims import Claim, Input
from provenance.lineage.references import Reference

__all__ = ["pack_claim", "unpack_claim"]


class _Packed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A reference; a plain digest that is the same as the root digest is not kept twice."""

    sha256: bytes
    dir_hash: bytes
    file_sha256: bytes
    bare: bool
    name: str


class _Facts(msgspec.Struct, frozen=True, array_like=True):
    claim: Claim
    subjects: tuple[_Packed, ...]
    inputs: tuple[tuple[_Packed, str, str, int], ...]


_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(_Facts).decode


def pack_claim(claim: Claim) -> bytes:
    """Write a claim."""
    rest = msgspec.structs.replace(claim, subjects=(), inputs=())
    inputs = tuple((_packed(each.reference), each.role, each.uri, each.taken) for each in claim.inputs)
    return _ENCODE(_Facts(rest, tuple(map(_packed, claim.subjects)), inputs))


def unpack_claim(data: bytes) -> Claim:
    """Read a claim that ``pack_claim`` wrote."""
    facts = _DECODE(data)
    inputs = tuple(Input(_unpacked(packed), role, uri, taken) for packed, role, uri, taken in facts.inputs)
    return msgspec.structs.replace(facts.claim, subjects=tuple(map(_unpacked, facts.subjects)), inputs=inputs)


def _packed(reference: Reference) -> _Packed:
    return _Packed(
        bytes.fromhex(reference.sha256),
        bytes.fromhex(reference.dir_hash),
        b"" if reference.bare else bytes.fromhex(reference.file_sha256),
        reference.bare,
        reference.name,
    )


def _unpacked(packed: _Packed) -> Reference:
    sha256 = packed.sha256.hex()
    return Reference(
        sha256,
        packed.dir_hash.hex(),
        sha256 if packed.bare else packed.file_sha256.hex(),
        packed.bare,
        packed.name,
    )
