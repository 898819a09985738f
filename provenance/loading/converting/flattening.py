"""From nested values to names: dictionaries, lists and tuples are walked, and the way to a tensor is its name.

Plain values beside the tensors (numbers, strings, None, and dictionaries and lists of them) are kept as JSON.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, Final

from provenance.loading.converting.content import Array, Uncarried, once
from provenance.loading.converting.keeping import Items, Pairs, Plain
from provenance.loading.converting.torch_values import Carried
from provenance.scanning.pickles.values import Global, Made, Refused, Storage, Text, Unknown, describe

__all__ = ["LONE_NAME", "Flat", "TooLarge", "flatten"]

LONE_NAME: Final = "tensor"  # of an array that is all that there is in a file

_MAX_VALUES = 1_000_000
_MAX_DEPTH = 100
_MAX_TEXT = 64 << 20  # characters of all names and strings
_MAX_BITS = 1024  # of an integer
_TENSORS: Final = object()  # stands for a value that holds more than plain values

_MAPPINGS = ("OrderedDict", "defaultdict", "Counter")
_BAGS = ("Namespace", "SimpleNamespace")
_SCRIPT = "__torch__"  # the module of a program's own classes (TorchScript)
# Calls whose first argument is what they make.
_WRAPPERS = (
    *("Size", "restore_type_tag"),
    *("build_intlist", "build_tensorlist", "build_doublelist", "build_boollist"),
)

_TENSOR_KINDS = {
    "_rebuild_sparse_tensor": "a sparse tensor",
    "_rebuild_sparse_csr_tensor": "a sparse tensor",
    "_rebuild_nested_tensor": "a nested tensor",
    "_rebuild_meta_tensor_no_storage": "a tensor without values",
}

# Says what a value becomes, or None where it is no tensor.
Carry = Callable[[Any], Carried | None]


class TooLarge(Exception):
    """There are more values, or they are nested more deeply, than the bounds allow."""


class Flat:
    """What a file holds: tensors and plain values by their names, what was left, and names that were given twice."""

    def __init__(self) -> None:
        self.arrays: dict[str, Array] = {}
        self.values: dict[str, Any] = {}
        self.left: list[tuple[str, str]] = []
        self.twice: list[str] = []
        self.source_bytes = 0  # of all that the tensors were found in, unpacked

    def add(self, name: str, carried: Carried) -> None:
        """Add what one value became."""
        for suffix, array in carried.arrays.items():
            self._claim(name + suffix)
            self.arrays.setdefault(name + suffix, array)
        for suffix, value in carried.values.items():
            self.keep(name + suffix, value)
        self.left += [(name, what) for what in carried.left]

    def keep(self, name: str, value: Any) -> None:
        """Keep a plain value."""
        self._claim(name)
        self.values.setdefault(name, value)

    def _claim(self, name: str) -> None:
        if name in self.arrays or name in self.values:
            self.twice.append(name)


class _Walk:
    """One walk over nested values; work is bounded, for values may be shared a great many times."""

    def __init__(self, carry: Carry, read_text: Callable[[Text], str]) -> None:
        self.flat = Flat()
        self._carry = once(carry)
        self._read_text = read_text
        self._values = 0
        self._text = 0

    def visit(self, value: Any, name: str, depth: int) -> Any:
        """The value as JSON, or ``_TENSORS`` after what it holds was added one by one."""
        self._values += _weight(value)
        self._text += len(name)
        if depth > _MAX_DEPTH or self._values > _MAX_VALUES or self._text > _MAX_TEXT:
            raise TooLarge
        try:
            value = _unwrapped(value)
            carried = self._carry(value) if isinstance(value, Made | Storage) else None
            if carried is not None:
                self.flat.add(name or LONE_NAME, carried)
                return _TENSORS
            children = _children(value)
            return self._plain(value) if children is None else self._visit_all(value, children, name, depth)
        except Uncarried as error:
            self.flat.left.append((name, str(error)))
            return _TENSORS

    def _visit_all(self, value: Any, children: list[tuple[str, Any]], name: str, depth: int) -> Any:
        """Walk a dictionary or a list; as one plain value where everything in it is plain."""
        found: dict[str, Any] = {}
        twice = []
        for key, child in children:
            child_name = f"{name}.{key}" if depth else key
            if key in found:
                twice.append(child_name)
            found[key] = self.visit(child, child_name, depth + 1)
        others = value.others if isinstance(value, Pairs) else 0
        if others:
            self.flat.left.append((name, f"{others} entries whose keys are neither strings nor integers"))
        self.flat.twice += twice
        if others or any(child is _TENSORS for child in found.values()):
            for key, child in found.items():
                if child is not _TENSORS:
                    self.flat.keep(f"{name}.{key}" if depth else key, child)
            return _TENSORS
        return list(found.values()) if isinstance(value, Items | tuple) else found

    def _plain(self, value: Any) -> Any:
        """A number, a string or None for JSON. Raises Uncarried for anything else."""
        if isinstance(value, str):
            self._text += len(value)
            return value
        if isinstance(value, int) and value.bit_length() <= _MAX_BITS:
            return value
        if isinstance(value, Plain):
            number = value.value
            # JSON has no numbers for these.
            return str(number) if isinstance(number, float) and not math.isfinite(number) else number
        if isinstance(value, Text):
            self._text += value.length  # before it is read: it may be held many times
            if self._text > _MAX_TEXT:
                raise TooLarge
            return self._read_text(value)
        if isinstance(value, Made) and value.entry.name == "device" and value.entry.module == "torch":
            return ":".join(str(part) for part in value.arguments if isinstance(part, str | int))
        if isinstance(value, Global) and value.entry.module == "torch" and value.entry.use == "constant":
            return f"torch.{value.entry.name}"
        raise Uncarried(_what(value))


def flatten(value: Any, carry: Carry, read_text: Callable[[Text], str]) -> Flat:
    """Walk a value that was read from a pickle. Raises TooLarge.

    ``carry`` says which of the objects and storages are tensors, and ``read_text`` reads strings that were not kept.
    """
    walk = _Walk(carry, read_text)
    found = walk.visit(value, "", 0)
    if found is not _TENSORS and isinstance(found, dict):
        for name, child in found.items():
            walk.flat.keep(name, child)
    elif found is not _TENSORS:
        walk.flat.keep("value", found)
    return walk.flat


def _children(value: Any) -> list[tuple[str, Any]] | None:
    """What a container holds, by key; None where the value is none."""
    if isinstance(value, Pairs):
        return [(str(key), child) for key, child in value.entries.items()]
    if isinstance(value, Items):
        value = value.items
    if isinstance(value, list | tuple):
        return [(str(index), child) for index, child in enumerate(value)]
    if not isinstance(value, Made):
        return None
    if value.entry.name in _MAPPINGS and value.entry.module == "collections":
        return [*_mapping(value), *_attributes(value)]
    if value.entry.name in _BAGS or value.entry.module.partition(".")[0] == _SCRIPT:
        return list(_attributes(value))
    return None


def _weight(value: Any) -> int:
    """How many values have to be looked at to know what an object holds."""
    if not isinstance(value, Made):
        return 1
    first = value.arguments[0] if isinstance(value.arguments, tuple) and value.arguments else None
    given = len(first.items) if isinstance(first, Items) else 0
    return 1 + given + (len(value.items) if isinstance(value.items, list) else 0)


def _unwrapped(value: Any) -> Any:
    """What a value is that a call only hands on."""
    while (
        isinstance(value, Made) and value.entry.name in _WRAPPERS and value.entry.module.startswith("torch")
    ):
        if not value.arguments:
            break
        value = value.arguments[0]
    return value


def _mapping(made: Made) -> Iterator[tuple[str, Any]]:
    """Entries of an ordered dictionary: of what it was made from, and those that were set; the later ones count."""
    entries = Pairs()
    first = made.arguments[0] if made.arguments else None
    if isinstance(first, Pairs):
        entries.entries.update(first.entries)
    elif isinstance(first, Items):
        for pair in first.items:
            inner = pair.items if isinstance(pair, Items) else pair
            if not isinstance(inner, list | tuple) or len(inner) != 2:
                raise Uncarried("a dictionary made of no pairs")
            entries.update(list(inner))
    entries.update(made.items or [])
    if entries.others:
        raise Uncarried("a dictionary whose keys are neither strings nor integers")
    yield from ((str(key), child) for key, child in entries.entries.items())


def _attributes(made: Made) -> Iterator[tuple[str, Any]]:
    """Attributes of an object, such as the ``_metadata`` of a state_dict."""
    if isinstance(made.state, Pairs):
        yield from ((str(key), child) for key, child in made.state.entries.items())
    elif made.state is not None:
        raise Uncarried(f"the state of {describe(made)}")


def _what(value: Any) -> str:
    """What a value is that cannot be carried."""
    if isinstance(value, Refused):
        return f"a value that {value.name}"
    if isinstance(value, Unknown):
        return "a value that a refused operation makes"
    if isinstance(value, Made) and value.entry.name in _TENSOR_KINDS:
        return _TENSOR_KINDS[value.entry.name]
    found = describe(value)
    return "data" if found == "something refused" else found
