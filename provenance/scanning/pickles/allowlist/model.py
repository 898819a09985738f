"""What an allowlist says of one global: its exact name, how it may be used, and why that is harmless."""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["Entry", "Use", "classes", "constants"]

# "function": called by REDUCE, never passed on; "class": instantiated in any way; "new": instantiated without its
# __init__ (NEWOBJ, copyreg); "constant": a value, never called; "storage": a type in torch's persistent ids;
# "any": what a policy's allow_globals says of a name, whatever it is.
Use = Literal["function", "class", "new", "constant", "storage", "any"]

# What the result of a call takes beside: items (SETITEM), elements (APPEND), a state (BUILD).
Takes = Literal["", "items", "elements"]


class Entry(NamedTuple):
    """One line of an allowlist.

    ``check`` names a check of the arguments (``pickles.checks``), empty where any inert value will do. ``takes`` says
    whether the object made grows by SETITEM or APPEND and ``state`` whether BUILD may act on it. ``passes`` names
    the functions that may stand among its arguments.
    """

    module: str
    name: str
    use: Use
    reason: str
    check: str = ""
    takes: Takes = ""
    state: bool = False
    passes: tuple[str, ...] = ()


def constants(module: str, names: str, reason: str) -> tuple[Entry, ...]:
    """Entries for constants that share a module and a reason; ``names`` is separated by spaces."""
    return tuple(Entry(module, name, "constant", reason) for name in names.split())


def classes(module: str, names: str, reason: str) -> tuple[Entry, ...]:
    """Entries for classes that are made without their __init__ and given their state as attributes."""
    return tuple(Entry(module, name, "new", reason, state=True) for name in names.split())
