"""Paths as users give them: a pattern that a shell left alone stands for the files that it matches."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from pathlib import Path

__all__ = ["expand"]


def expand(paths: Iterable[str | Path]) -> list[str]:
    """The paths, with those that a pattern matches in its place, sorted; each path once.

    What exists is itself, whatever characters it has. A pattern that matches nothing stays, and is found absent.
    """
    found: dict[str, None] = {}
    for path in map(str, paths):
        matched = (
            glob.glob(path, recursive=True) if glob.has_magic(path) and not os.path.lexists(path) else []
        )
        found.update(dict.fromkeys(sorted(matched) or [path]))
    return list(found)
