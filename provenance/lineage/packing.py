"""Claims as the index keeps them: MessagePack that is decoded straight into what is used.

Who follows a claim from one of its many inputs needs none of the others: inputs are kept apart from the rest, each to
be decoded by itself, and are fetched when somebody asks for them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from struct import Struct
from typing import Final, overload

import msgspec

from provenance.lineage.claims import Claim, Input
from provenance.lineage.references import Reference

__all__ = ["KeptInputs", "pack_claim", "pack_inputs", "unpack_claim", "unpack_input"]


class _Packed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A reference, its digests as bytes; a plain digest that is the same as the root digest is not kept twice."""

    sha256: bytes
    dir_hash: bytes
    file_sha256: bytes
    bare: bool
    name: str


_BOUND: Final = Struct("<I")
_BOUNDS: Final = Struct("<II")
_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(Claim).decode
_DECODE_INPUT = msgspec.msgpack.Decoder(tuple[_Packed, str, str, int]).decode


class KeptInputs(Sequence[Input]):
    """The inputs of a claim in the index, equal to a tuple of the same ones; ``fetch`` gives what was packed, once."""

    __slots__ = ("_fetch", "_number", "_packed")

    def __init__(self, fetch: Callable[[int], bytes], number: int) -> None:
        self._fetch: Callable[[int], bytes] | None = fetch
        self._number, self._packed = number, b""

    def _all(self) -> bytes:
        fetch = self._fetch
        if fetch is not None:
            self._packed, self._fetch = fetch(self._number), None
        return self._packed

    def __len__(self) -> int:
        return _count(self._all())

    @overload
    def __getitem__(self, position: int) -> Input: ...
    @overload
    def __getitem__(self, position: slice) -> tuple[Input, ...]: ...
    def __getitem__(self, position: int | slice) -> Input | tuple[Input, ...]:
        chosen = range(len(self))[position]
        if isinstance(chosen, range):
            return tuple(unpack_input(self._packed, each) for each in chosen)
        return unpack_input(self._packed, chosen)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeptInputs | tuple) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))


def pack_claim(claim: Claim) -> bytes:
    """Write a claim without its inputs."""
    return _ENCODE(msgspec.structs.replace(claim, inputs=()))


def unpack_claim(data: bytes, inputs: KeptInputs | None = None) -> Claim:
    """Read a claim that ``pack_claim`` wrote, and give it its inputs, if it has any."""
    claim = _DECODE(data)
    if inputs is not None:
        # Nobody else has this claim yet, and a copy of it would cost half as much as decoding it.
        msgspec.structs.force_setattr(claim, "inputs", inputs)
    return claim


def pack_inputs(inputs: Sequence[Input]) -> bytes:
    """Write inputs one after another, and before them where the first begins and where each ends: four bytes each."""
    packed = [_ENCODE((_packed(each.reference), each.role, each.uri, each.taken)) for each in inputs]
    begin = (len(packed) + 1) * _BOUND.size
    bounds = accumulate(map(len, packed), initial=begin)
    return b"".join([*map(_BOUND.pack, bounds), *packed]) if packed else b""


def unpack_input(data: bytes, position: int) -> Input:
    """Read one of the inputs that ``pack_inputs`` wrote."""
    start, end = _BOUNDS.unpack_from(data, position * _BOUND.size)
    reference, role, uri, taken = _DECODE_INPUT(data[start:end])
    return Input(_unpacked(reference), role, uri, taken)


def _count(data: bytes) -> int:
    return int(_BOUND.unpack_from(data)[0]) // _BOUND.size - 1 if data else 0


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
