"""Typed reading of one table of a document; whatever does not fit is a fault at its key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, TypeVar

from policies.document.fault import Fault, KeyPath, dotted, quoted, suggestion

__all__ = ["Section"]

Word = TypeVar("Word", bound=str)

_TYPE_NAMES: dict[type, str] = {
    bool: "a boolean",
    int: "a whole number",
    float: "a decimal number",
    str: "a string",
    list: "an array",
    dict: "a table",
    date: "a date",
    datetime: "a date with a time",
}


class Section:
    """A table whose keys are all known; every getter returns its default where the key is absent."""

    def __init__(
        self, values: Mapping[str, Any], path: KeyPath, known: tuple[str, ...], document: str = "a policy"
    ) -> None:
        self.values = values
        self.path = path
        for key in values:
            if key not in known:
                where = f"[{dotted(path)}]" if path else document
                message = f"{quoted(key)} is not a key of {where}{suggestion(key, known)}"
                raise Fault((*path, key), message, f"known keys: {', '.join(sorted(known))}")

    def at(self, key: str, index: int | None = None) -> KeyPath:
        """The path of a key, or of an item of its array."""
        return (*self.path, key) if index is None else (*self.path, key, index)

    def __contains__(self, key: object) -> bool:
        return key in self.values

    def text(self, key: str, default: str = "") -> str:
        """A string with something in it."""
        return _text(self.values[key], self.at(key)) if key in self.values else default

    def texts(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """An array of strings, none of them empty and none twice."""
        if key not in self.values:
            return default
        found: list[str] = []
        for index, value in enumerate(_expect(list, self.values[key], self.at(key))):
            word = _text(value, self.at(key, index))
            if word in found:
                raise Fault(
                    self.at(key, index), f"{quoted(word)} is listed twice in `{key}`", "drop one of them"
                )
            found.append(word)
        return tuple(found)

    def number(self, key: str, default: int, *, least: int, most: int) -> int:
        """A whole number between two bounds, both included."""
        if key not in self.values:
            return default
        value: int = _expect(int, self.values[key], self.at(key))
        if not least <= value <= most:
            raise Fault(self.at(key), f"`{key}` must be between {least} and {most}, not {quoted(value)}")
        return value

    def decimal(self, key: str, default: float, *, least: float, most: float) -> float:
        """A number between two bounds, both included, with a decimal point or without; never infinite or NaN."""
        if key not in self.values:
            return default
        value = self.values[key]
        number = float(value) if type(value) is int and abs(value) < 2**53 else value
        if not least <= _expect(float, number, self.at(key)) <= most:
            raise Fault(self.at(key), f"`{key}` must be between {least:g} and {most:g}, not {quoted(value)}")
        return float(number)

    def choice(self, key: str, default: Word, allowed: tuple[Word, ...]) -> Word:
        """One of a few words."""
        if key not in self.values:
            return default
        value = _text(self.values[key], self.at(key))
        for word in allowed:
            if value == word:
                return word
        message = f"{quoted(value)} is no value of `{key}`{suggestion(value, allowed)}"
        raise Fault(self.at(key), message, f"one of: {', '.join(allowed)}")

    def day(self, key: str) -> date | None:
        """A date without a time."""
        if key not in self.values:
            return None
        value: date = _expect(date, self.values[key], self.at(key), "write it without quotes: 2027-06-30")
        return value

    def moment(self, key: str) -> date | datetime | None:
        """A date, or a date with a time and its zone."""
        value = self.values.get(key)
        if value is None or type(value) is date:
            return value
        moment: datetime = _expect(datetime, value, self.at(key), "write it as 2027-06-30T12:00:00Z")
        if moment.tzinfo is None:
            raise Fault(
                self.at(key), f"`{key}` has a time without a zone", "write it as 2027-06-30T12:00:00Z"
            )
        return moment

    def section(self, key: str, known: tuple[str, ...]) -> Section:
        """A table inside of this one; an empty one where it is absent."""
        return Section(_expect(dict, self.values.get(key, {}), self.at(key)), self.at(key), known)

    def named_sections(self, key: str, known: tuple[str, ...]) -> Iterator[tuple[str, Section]]:
        """The tables of a table, by name, in the document's order."""
        for name, value in _expect(dict, self.values.get(key, {}), self.at(key)).items():
            path = (*self.at(key), name)
            yield name, Section(_expect(dict, value, path), path, known)

    def listed_sections(self, key: str, known: tuple[str, ...]) -> Iterator[Section]:
        """The tables of an array."""
        for index, value in enumerate(_expect(list, self.values.get(key, []), self.at(key))):
            yield Section(_expect(dict, value, self.at(key, index)), self.at(key, index), known)


def _expect(wanted: type, value: Any, path: KeyPath, hint: str = "") -> Any:
    """Insist on exactly this type: a boolean is no number, a date with a time is no date."""
    if type(value) is wanted:
        return value
    given = _TYPE_NAMES.get(type(value), "something else")
    what = f"an item of `{dotted(path)}`" if isinstance(path[-1], int) else f"`{dotted(path)}`"
    raise Fault(path, f"{what} must be {_TYPE_NAMES[wanted]}, not {given}", hint)


def _text(value: Any, path: KeyPath) -> str:
    """A string that is not blank and has no control characters, which no name, path or pattern needs."""
    text: str = _expect(str, value, path)
    if not text.strip():
        raise Fault(path, f"`{dotted(path)}` holds an empty string")
    if not text.isprintable():
        raise Fault(path, f"`{dotted(path)}` holds characters that cannot be printed")
    return text
