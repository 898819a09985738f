"""The columns of an update: its tensors by name, one behind the other, whatever their order in the file."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from provenance.scanning.safetensors import Header, TensorInfo

__all__ = ["GRID", "Layout", "Piece", "Span", "difference", "layout_of", "pieces"]

# Columns are read, proven and combined in blocks that begin at multiples of this number.
GRID: Final = 16384
_NAMED: Final = 3  # tensors that a message names


class Span(msgspec.Struct, frozen=True):
    """A tensor and the columns ``[start, start + count)`` that its elements are."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    count: int


class Layout(msgspec.Struct, frozen=True):
    """The tensors in the order of their names, and how many columns they have together."""

    spans: tuple[Span, ...]
    columns: int


class Piece(NamedTuple):
    """Some elements of one tensor within one block of a grid; ``offset`` counts from the tensor's first element."""

    span: int
    start: int  # the first column
    offset: int
    length: int


def layout_of(header: Header) -> Layout:
    """Return the columns of a safetensors file."""
    spans: list[Span] = []
    position = 0
    for tensor in sorted(header.tensors, key=_name):
        count = math.prod(tensor.shape)
        spans.append(Span(tensor.name, tensor.dtype, tensor.shape, position, count))
        position += count
    return Layout(tuple(spans), position)


def _name(tensor: TensorInfo) -> str:
    return tensor.name


def pieces(layout: Layout, step: int = GRID) -> Iterator[Piece]:
    """Cut all columns at the tensors' ends and at the multiples of ``step``, in the order of the columns."""
    for index, span in enumerate(layout.spans):
        position = span.start
        while position < span.start + span.count:
            end = min((position // step + 1) * step, span.start + span.count)
            yield Piece(index, position, position - span.start, end - position)
            position = end


def difference(found: Layout, expected: Layout) -> str:
    """Say in words how the tensors differ from the expected ones; empty where they do not."""
    if found.spans == expected.spans:
        return ""
    ours, theirs = ({span.name: span for span in each.spans} for each in (found, expected))
    if missing := sorted(theirs.keys() - ours.keys()):
        return f"it lacks {_listed(missing)}"
    if added := sorted(ours.keys() - theirs.keys()):
        return f"it has {_listed(added)}, which the base model has not"
    name = next(name for name in ours if not _same(ours[name], theirs[name]))
    return f"tensor {name[:200]} is {_kind(ours[name])} in it and {_kind(theirs[name])} in the base model"


def _same(one: Span, other: Span) -> bool:
    return (one.dtype, one.shape) == (other.dtype, other.shape)


def _kind(span: Span) -> str:
    return f"{span.dtype} {list(span.shape)}"


def _listed(names: list[str]) -> str:
    shown = ", ".join(name[:100] for name in names[:_NAMED])
    return f"tensor {shown}" + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
