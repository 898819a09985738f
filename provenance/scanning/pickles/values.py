"""What can lie on the abstract stack.

Short strings and integers are themselves and tuples are tuples of values; everything else is one of these. A value is
never hashed, compared or copied as a whole, so sharing through the memo cannot make work grow.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from provenance.scanning.pickles.allowlist.model import Entry

__all__ = [
    "DATA",
    "TRUE",
    "UNKNOWN",
    "Bytes",
    "Data",
    "Dict",
    "Encoded",
    "Function",
    "Global",
    "List",
    "Loose",
    "Made",
    "Refused",
    "Set",
    "Storage",
    "Text",
    "Unknown",
    "describe",
]


class Data:
    """Something inert whose value does not matter: None, a number, bytes, a long string."""

    __slots__ = ()


class Bytes(Data):
    """Bytes, by where they lie in the source: inert, unless a function is called that reads them."""

    __slots__ = ("length", "start")

    def __init__(self, start: int, length: int) -> None:
        self.start = start
        self.length = length


class Text(Data):
    """A string that is too long to be kept: where it lies in the source, and how it is written there.

    ``form``: "utf-8", "raw" (a line of protocol 0), "bytes" or "escaped" (strings of Python 2, counted or a line).
    """

    __slots__ = ("form", "length", "start")

    def __init__(self, start: int, length: int, form: Literal["utf-8", "raw", "bytes", "escaped"]) -> None:
        self.start = start
        self.length = length
        self.form = form


class Encoded(Data):
    """Bytes as protocols 0 to 2 write them: text whose characters stand for one byte each."""

    __slots__ = ("text",)

    def __init__(self, text: str | Text) -> None:
        self.text = text


class Unknown:
    """Something that a refused operation made. It was reported, so what is done with it is not."""

    __slots__ = ()


class Refused(Unknown):
    """An import that was refused, until it is known whether it is called as well."""

    __slots__ = ("called", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.called = False


DATA: Final = Data()
TRUE: Final = Data()
UNKNOWN: Final = Unknown()


class List:
    """A list, of which only the length is known."""

    __slots__ = ("count", "weight")

    def __init__(self, count: int = 0) -> None:
        self.count = count
        self.weight = 1  # see ``unfolding``


class Set:
    """A set that grows."""

    __slots__ = ("weight",)

    def __init__(self) -> None:
        self.weight = 1


class Dict:
    """A dictionary; the first entries with strings as keys are kept for readers of a known state.

    ``more`` says whether there are others, ``special`` is a key such as ``__setstate__`` or one that a call made, and
    ``used`` whether some object has this as its state.
    """

    __slots__ = ("entries", "more", "special", "used", "weight")

    def __init__(self) -> None:
        self.entries: dict[Any, Any] = {}
        self.more = False
        self.special = ""
        self.used = False
        self.weight = 1

    def watch(self, key: Any) -> None:
        """Note a key that would be a special attribute, if this were the state of an object."""
        if isinstance(key, str):
            if key[:2] == "__":
                self.special = describe(key)
        elif isinstance(key, Made):
            self.special = f"that {describe(key)} makes"


class Global:
    """An allowed class or constant, which may be passed about."""

    __slots__ = ("entry",)

    def __init__(self, entry: Entry) -> None:
        self.entry = entry


class Function(Global):
    """An allowed function, which may be called and nothing else."""

    __slots__ = ()


class Loose(tuple[Any, ...]):
    """A tuple with a function somewhere in it: arguments of a call at best, never a value."""

    __slots__ = ()


class Made:
    """An object that an allowed call made, with the arguments it was made from and the state it was given.

    ``items`` is for readers that rebuild values: keys and values that were set, one after the other.
    """

    __slots__ = ("arguments", "entry", "items", "state", "weight")

    def __init__(self, entry: Entry, arguments: Any = ()) -> None:
        self.entry = entry
        self.arguments = arguments
        self.state: Any = None
        self.items: Any = None
        self.weight = 1


class Storage:
    """A storage that torch's persistent id names; ``items`` of the type ``kind`` (`FloatStorage`, …)."""

    __slots__ = ("items", "key", "kind")

    def __init__(self, kind: str, key: str, items: int) -> None:
        self.kind = kind
        self.key = key
        self.items = items


def describe(value: Any) -> str:
    """A few words for a message; never more than a line."""
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else value[:57] + "…")
    if isinstance(value, int):
        return str(value) if value.bit_length() < 100 else "an integer"
    if isinstance(value, Global | Made):
        return f"{value.entry.module}.{value.entry.name}"
    if isinstance(value, tuple):
        return f"a tuple of {len(value)}"
    names: dict[type, str] = {
        List: "a list",
        Dict: "a dict",
        Set: "a set",
        Storage: "a storage",
    }
    return names.get(type(value), "data" if isinstance(value, Data) else "something refused")
