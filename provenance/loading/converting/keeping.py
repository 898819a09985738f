"""Values that are kept while a pickle is read: what scanning calls data or a list, with what is in it."""

from __future__ import annotations

from typing import Any

from provenance.scanning.pickles.values import Data, Dict, List

__all__ = ["Items", "Pairs", "Plain"]


_MAX_BITS = 128  # of an integer that is a key


class Plain(Data):
    """None, a truth value or a float."""

    __slots__ = ("value",)

    def __init__(self, value: float | bool | None) -> None:  # noqa: FBT001 - one of three kinds of value
        self.value = value


class Items(List):
    """A list with its items."""

    __slots__ = ("items",)

    def __init__(self) -> None:
        super().__init__()
        self.items: list[Any] = []


class Pairs(Dict):
    """A dictionary with all its entries; those whose keys are neither strings nor plain integers are only counted."""

    __slots__ = ("others",)

    def __init__(self) -> None:
        super().__init__()
        self.others = 0

    def update(self, items: list[Any]) -> None:
        """Set keys and values, one after the other."""
        for key, value in zip(items[::2], items[1::2], strict=True):
            self.watch(key)
            if isinstance(key, str) or (isinstance(key, int) and key.bit_length() <= _MAX_BITS):
                self.entries[key] = value
            else:
                self.others += 1
                self.more = True
