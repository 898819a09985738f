"""JSON from untrusted hands: bounded before it is decoded, with no duplicate keys and nothing behind the value.

Two readers of one document must see the same thing, so a key that occurs twice in an object, which most decoders
silently resolve, is malformed.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

from provenance.attestations.limits import MAX_DEPTH, MAX_PAYLOAD_BYTES, MAX_PAYLOAD_ELEMENTS
from provenance.errors import Malformed

__all__ = ["convert", "decode", "decode_tree"]

Target = TypeVar("Target")

_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_STRING = re.compile(rb'"[^"]*"')
_NOT_STRUCTURE = bytes(set(range(256)) - set(b'{}[]",:'))


def decode(
    data: bytes,
    target: type[Target],
    *,
    what: str = "the document",
    max_bytes: int = MAX_PAYLOAD_BYTES,
    max_depth: int = MAX_DEPTH,
    max_elements: int = MAX_PAYLOAD_ELEMENTS,
) -> Target:
    """Decode UTF-8 JSON into a msgspec type.

    Raises ``Malformed`` (SIG008) for bytes, depth or elements beyond the bounds, duplicate keys, bad UTF-8, text
    behind the value, and whatever does not fit ``target``. ``what`` is how messages call the document.
    """
    tree = decode_tree(data, what=what, max_bytes=max_bytes, max_depth=max_depth, max_elements=max_elements)
    return convert(tree, target, what=what)


def decode_tree(
    data: bytes,
    *,
    what: str = "the document",
    max_bytes: int = MAX_PAYLOAD_BYTES,
    max_depth: int = MAX_DEPTH,
    max_elements: int = MAX_PAYLOAD_ELEMENTS,
) -> Any:
    """Decode UTF-8 JSON into dictionaries, lists and scalars; raises as ``decode`` does."""
    if len(data) > max_bytes:
        raise Malformed(f"{what} has {len(data):,} bytes, more than {max_bytes:,}", code="SIG008")
    if b"\\" in data:
        strings = _check_shape(_ESCAPE.sub(b"", data), what, max_depth, max_elements)
    else:
        strings = _check_shape(data, what, max_depth, max_elements)
    try:
        tree = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"{what} is not JSON: {error}", code="SIG008") from None
    # The decoder keeps one of two equal keys, so writing the tree again yields fewer strings than were read.
    if _count_strings(msgspec.json.encode(tree)) != strings:
        raise Malformed(f"{what} has an object in which one key occurs twice", code="SIG008")
    return tree


def convert(tree: Any, target: type[Target], *, what: str = "the document") -> Target:
    """Fit a decoded tree to a msgspec type; raises ``Malformed`` (SIG008) where it does not fit."""
    try:
        return msgspec.convert(tree, target)
    except msgspec.ValidationError as error:
        raise Malformed(f"{what} has a wrong form: {str(error)[:300]}", code="SIG008") from None


def _check_shape(data: bytes, what: str, max_depth: int, max_elements: int) -> int:
    """Bound elements and depth of JSON without escapes, in time linear in its size; return its number of strings."""
    strings = data.count(b'"') // 2
    structure = data.translate(None, _NOT_STRUCTURE)
    # Equal neighbours cancel out without changing what lies inside a string and what outside.
    structure = _STRING.sub(b"", structure.replace(b'""', b""))
    elements = structure.count(b",") + structure.count(b"[") + structure.count(b"{")
    if elements > max_elements:
        raise Malformed(f"{what} has more than {max_elements:,} elements", code="SIG008")
    brackets = structure.translate(None, b",:")
    for _ in range(max_depth):  # each turn takes away the innermost objects and arrays
        if not brackets:
            break
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
    if brackets:
        raise Malformed(f"{what} is nested more than {max_depth} levels deep, or cut off", code="SIG008")
    return strings


def _count_strings(data: bytes) -> int:
    return (_ESCAPE.sub(b"", data) if b"\\" in data else data).count(b'"') // 2
