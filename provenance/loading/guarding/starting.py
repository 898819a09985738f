"""Processes that are started where the guard does not reach them: seen and written down."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["STARTS", "unreached"]

# Where each event has the program, its arguments and its environment.
STARTS: Mapping[str, tuple[int, int, int]] = {
    "subprocess.Popen": (0, 1, 3),
    "os.posix_spawn": (0, 1, 2),
    "os.exec": (0, 1, 2),
    "os.spawn": (1, 2, 3),
}
_PYTHON = re.compile(r"(?:python|pypy)\d*(?:\.\d+)*t?(?:\.exe)?\Z")
_VARIABLES = ("PROVENANCE_GUARD", "PYTHONPATH")


def unreached(event: str, arguments: tuple[Any, ...]) -> str:
    """Why the guard is not armed in a Python process that is started, "" where it is, or where it is none."""
    program, listed, environment = (arguments[at] if len(arguments) > at else None for at in STARTS[event])
    words = [_text(word) for word in _listed(listed)]
    name = os.path.basename(words[0] if words else _text(program))
    if not _PYTHON.match(name) and not _PYTHON.match(os.path.basename(_text(program))):
        return ""
    if _isolated(words[1:]):
        return f"{name} is started with options by which it does not heed its environment"
    names = {_text(each) for each in (environment if isinstance(environment, Mapping) else os.environ)}
    if not names.issuperset(_VARIABLES):
        return f"{name} is started without the environment of the guard"
    return ""


def _isolated(words: list[str]) -> bool:
    """Whether Python is told to leave PYTHONPATH or its sitecustomize alone: -I, -E or -S, alone or among others."""
    left = iter(words)
    for word in left:
        if not word.startswith("-") or word == "-" or word.startswith("--"):
            return False
        for letter in word[1:]:
            if letter in "IES":
                return True
            if letter in "cm":
                return False
            if letter in "WX":  # the rest is its value, or the next word is
                if word.endswith(letter):
                    next(left, None)
                break
    return False


def _listed(given: Any) -> Iterable[Any]:
    if isinstance(given, str | bytes | os.PathLike):
        return (given,)
    return given if isinstance(given, list | tuple) else ()


def _text(given: Any) -> str:
    return os.fsdecode(given) if isinstance(given, str | bytes | os.PathLike) else ""
