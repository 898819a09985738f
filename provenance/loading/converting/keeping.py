"""Values that are kept while a pickle is read: what scanning calls data or a list, with what is in it."""

from __future__ import annotations

from typing import Any, Literal

from provenance.scanning.pickles.values import Data, Dict, List

__all__ = ["Encoded", "Items", "Pairs", "Plain", "Text"]


class Plain(Data):
    """None, a truth value or a float."""

    __slots__ = ("value",)

    def __init__(self, value: float | bool | None) -> None:  # noqa: FBT001 - one of three kinds of value
        self.value = value


class Text(Data):
    """A string that is too long to be kept, or no plain ASCII: where it lies in the source, and how it is written.

    ``form``: "utf-8", "raw" (a line of protocol 0), "bytes" or "escaped" (strings of Python 2, counted or a line).
    """

    __slots__ = ("form", "length", "start")

    def __init__(self, start: int, length: int, form: Literal["utf-8", "raw", "bytes", "escaped"]) -> None:
        self.start = start
        self.length = length
        self.form = form


class Encoded(Data):
    """Bytes as the pickle gives them: text whose characters are the bytes (latin-1)."""

    __slots__ = ("text",)

    def __init__(self, text: str | Text) -> None:
        self.text = text


class Items(List):
    """A list with its items."""

    __slots__ = ("items",)

    def __init__(self) -> None:
        self.items: list[Any] = []


class Pairs(Dict):
    """A dictionary with all its entries; those whose keys are neither strings nor integers are only counted."""

    __slots__ = ("others",)

    def __init__(self) -> None:
        self.entries: dict[Any, Any] = {}
        self.others = 0

    def update(self, items: list[Any]) -> None:
        """Set keys and values, one after the other."""
        for key, value in zip(items[::2], items[1::2], strict=True):
            if isinstance(key, str | int):
                self.entries[key] = value
            else:
                self.others += 1
