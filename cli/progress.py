"""A progress bar with bytes and rate: on a terminal, for work that takes long; silent otherwise."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from cli.console import wants_color

__all__ = ["Advance", "progress"]

Advance = Callable[[int], None]

PATIENCE = 0.5  # seconds before anything is shown: short work needs no bar, and drawing one costs an import
INTERVAL = 0.05


@contextmanager
def progress(label: str, paths: Iterable[str]) -> Iterator[Advance | None]:
    """Give a function that takes counts of bytes done, from any thread; None where nobody watches.

    ``paths`` are the files and directories that the work is about: their sizes make up the whole.
    """
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield None
        return
    bar = _Bar(label, list(paths))
    try:
        yield bar.advance
    finally:
        bar.stop()


class _Bar:
    """Counts from the start, and draws once the work has taken a while."""

    def __init__(self, label: str, paths: list[str]) -> None:
        self._label, self._paths = label, paths
        self._lock = threading.Lock()
        self._begun = time.monotonic()
        self._next = self._begun + PATIENCE
        self._done = 0
        self._drawing: Any = None

    def advance(self, count: int) -> None:
        """Count more bytes as done."""
        with self._lock:
            self._done += count
            now = time.monotonic()
            if now < self._next:
                return
            self._next = now + INTERVAL
            if self._drawing is None:
                self._drawing = _drawing(self._label, _total(self._paths))
                self._drawing.start()
            self._drawing.update(0, completed=self._done)

    def stop(self) -> None:
        """Take the bar off the terminal again."""
        with self._lock:
            if self._drawing is not None:
                self._drawing.stop()


def _drawing(label: str, total: int) -> Any:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    console = Console(stderr=True, no_color=not wants_color(sys.stderr))
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    drawing = Progress(*columns, TimeRemainingColumn(), console=console, transient=True)
    drawing.add_task(label, total=total)
    return drawing


def _total(paths: list[str]) -> int:
    """Add up the sizes of all files; what cannot be read counts nothing."""
    total = 0
    for path in paths:
        if os.path.isfile(path):
            total += os.path.getsize(path)
        for directory, _, names in os.walk(path):
            total += sum(_size(os.path.join(directory, name)) for name in names)
    return total


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0
