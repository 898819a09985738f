"""Claims as the index keeps them: MessagePack, with digests as the bytes that they are.

Who follows a claim of many inputs from one of them needs no other, so inputs stay packed until they are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from struct import Struct
from typing import Final, overload

import msgspec

from provenance.lineage.claims import Claim, Input
from provenance.lineage.references import Reference

__all__ = ["PackedInputs", "pack_claim", "unpack_claim"]


class _Packed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A reference; a plain digest that is the same as the root digest is not kept twice."""

    sha256: bytes
    dir_hash: bytes
    file_sha256: bytes
    bare: bool
    name: str


class _Facts(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """``inputs`` one after another; ``ends``: where each of them ends, four bytes each."""

    claim: Claim
    subjects: tuple[_Packed, ...]
    inputs: bytes
    ends: bytes


_END: Final = Struct("<I")
_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(_Facts).decode
_DECODE_INPUT = msgspec.msgpack.Decoder(tuple[_Packed, str, str, int]).decode


class PackedInputs(Sequence[Input]):
    """The inputs of a claim that was read from the index; equal to a tuple of the same ones."""

    __slots__ = ("_ends", "_packed")

    def __init__(self, packed: bytes, ends: bytes) -> None:
        self._packed, self._ends = packed, ends

    def __len__(self) -> int:
        return len(self._ends) // _END.size

    @overload
    def __getitem__(self, position: int) -> Input: ...
    @overload
    def __getitem__(self, position: slice) -> tuple[Input, ...]: ...
    def __getitem__(self, position: int | slice) -> Input | tuple[Input, ...]:
        if isinstance(position, slice):
            return tuple(self[each] for each in range(*position.indices(len(self))))
        if not 0 <= position < len(self):
            position = range(len(self))[position]
        (end,) = _END.unpack_from(self._ends, position * _END.size)
        (start,) = _END.unpack_from(self._ends, (position - 1) * _END.size) if position else (0,)
        reference, role, uri, taken = _DECODE_INPUT(self._packed[start:end])
        return Input(_unpacked(reference), role, uri, taken)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PackedInputs | tuple) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))


def pack_claim(claim: Claim) -> bytes:
    """Write a claim."""
    rest = msgspec.structs.replace(claim, subjects=(), inputs=())
    inputs = [_ENCODE((_packed(each.reference), each.role, each.uri, each.taken)) for each in claim.inputs]
    ends = b"".join(map(_END.pack, accumulate(map(len, inputs))))
    return _ENCODE(_Facts(rest, tuple(map(_packed, claim.subjects)), b"".join(inputs), ends))


def unpack_claim(data: bytes) -> Claim:
    """Read a claim that ``pack_claim`` wrote."""
    facts = _DECODE(data)
    subjects = tuple(map(_unpacked, facts.subjects))
    inputs = PackedInputs(facts.inputs, facts.ends) if facts.ends else ()
    return msgspec.structs.replace(facts.claim, subjects=subjects, inputs=inputs)


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
