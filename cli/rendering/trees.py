"""Trees in text, with as many lines as somebody reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["MOST_LINES", "Branch", "tree_lines"]

MOST_LINES = 500


@dataclass
class Branch:
    """A line, and the branches below it in their order."""

    label: str
    level: dict[Any, Branch] = field(default_factory=dict)


def tree_lines(roots: Iterable[Branch]) -> list[str]:
    """Write trees as lines with box-drawing characters; without recursion, for a chain may be long."""
    lines: list[str] = []
    pending = [(root, "", "") for root in reversed(list(roots))]
    left_out = 0
    while pending:
        branch, head, tail = pending.pop()
        if len(lines) < MOST_LINES:
            lines.append(head + branch.label)
        else:
            left_out += 1
        children = list(branch.level.values())
        for number in range(len(children) - 1, -1, -1):
            last = number == len(children) - 1
            marks = ("└── ", "    ") if last else ("├── ", "│   ")
            pending.append((children[number], tail + marks[0], tail + marks[1]))
    if left_out:
        lines.append(f"… and {left_out:,} more lines; `--format json` lists everything")
    return lines
