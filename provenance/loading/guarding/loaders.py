"""What a call of a guarded loader comes to: the file is judged and sealed, and the sealed copy is loaded."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from provenance.loading.guarding.active import ACTIVE
from provenance.loading.guarding.copies import copied, copy_at
from provenance.loading.guarding.files import judge_bytes, judge_file
from provenance.loading.guarding.interprocess import receives
from provenance.loading.guarding.loader_table import Loader
from provenance.loading.guarding.running import loading, present_load

__all__ = ["guarded"]


def guarded(loader: Loader, original: Callable[..., Any]) -> Callable[..., Any]:
    """Return what stands in for a loader while a guard is open."""

    def call(*arguments: Any, **options: Any) -> Any:
        if not ACTIVE:
            return original(*arguments, **options)
        there = len(arguments) > loader.position
        given = arguments[loader.position] if there else options.get(loader.parameter)
        # A message between processes may hold what a loader makes of bytes; a file is a file, whoever names it.
        if isinstance(given, io.BytesIO | bytes) and receives(_caller(sys._getframe(1))):  # noqa: SLF001
            return original(*arguments, **options)
        with _judged(loader, given, arguments, options) as (source, path):
            if there:
                arguments = (*arguments[: loader.position], source, *arguments[loader.position + 1 :])
            elif given is not None:
                options = {**options, loader.parameter: source}
            if loader.streams and source is not given:
                options.pop("driver", None)  # the one for file objects is chosen by itself
            if path is None:
                return original(*arguments, **options)
            with loading(path, proven=True, net=loader.net):
                return original(*arguments, **options)

    return call


def _caller(frame: FrameType | None) -> FrameType | None:
    """The frame that called the loader: not that of the code which was put in its place."""
    while frame is not None and frame.f_code.co_name == "_trampoline":
        frame = frame.f_back
    return frame


@contextmanager
def _judged(
    loader: Loader, given: Any, arguments: tuple[Any, ...], options: dict[str, Any]
) -> Iterator[tuple[Any, str | None]]:
    """Judge what is to be loaded; yield what to load in its place, and its path: None where nothing is to be judged."""
    if isinstance(given, str | bytes | os.PathLike) and loader.parameter != "data":
        path = os.fsdecode(given)
        proven = copy_at(path)
        if proven is not None or _makes_a_file(loader, path, arguments, options):
            yield (proven.stream() if proven is not None and loader.streams else given), None
            return
        with _sealed(loader, path, arguments, options) as copy:
            yield copy, path
    elif isinstance(given, bytes | bytearray | memoryview):
        kept = bytes(given)
        judge_bytes(kept, loader, signed=loader.signed and present_load() is None)
        yield kept, ""
    elif hasattr(given, "read"):
        mode = _mode(loader, arguments, options)
        if mode != "r":  # it is written to
            if mode in ("a", "r+"):
                _judge_in_place(loader, given)
            yield given, None
            return
        with _sealed_stream(loader, given) as (stream, path):
            yield stream, path
    else:
        yield given, None


@contextmanager
def _sealed(loader: Loader, path: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> Iterator[Any]:
    sealed = _mode(loader, arguments, options) == "r"
    with copied(os.path.basename(path)) as copy:
        judge_file(os.path.abspath(path), copy, loader, sealed=sealed)
        if not sealed:  # it is to be changed, which no sealed copy can be
            yield path
            return
        if loader.streams:
            yield copy.stream()
            return
        with copy.path(named=loader.named) as place:
            yield str(place)


@contextmanager
def _sealed_stream(loader: Loader, given: Any) -> Iterator[tuple[Any, str]]:
    """Judge the file behind a file object where there is one, else what it holds; leave it where the load ended."""
    path = _path_of(given)
    if copy_at(path) is not None:
        yield given, path
        return
    if path:
        with copied(os.path.basename(path)) as copy:
            judge_file(path, copy, loader)
            stream = copy.stream()
            start = 0 if loader.streams else given.tell()
            if start:  # what begins there is another thing than what begins with the file
                stream.seek(start)
                judge_bytes(stream.read(), loader, signed=False)
            stream.seek(start)
            yield stream, path
            _follow(given, stream)
        return
    start = _tell(given)
    if loader.streams and start:
        given.seek(0)  # HDF5 goes by places in the file, wherever the file object stands
    data = bytes(given.read())
    # Within another load they are bytes of what is loaded there.
    judge_bytes(data, loader, signed=loader.signed and present_load() is None)
    memory = io.BytesIO(data)
    yield memory, ""
    if start is not None:
        given.seek(start + (len(data) if memory.closed else memory.tell()))


def _judge_in_place(loader: Loader, given: Any) -> None:
    """Judge what a file object holds that is to be changed, and which is therefore loaded itself."""
    start = _tell(given)
    if start is not None:
        given.seek(0)
        data = bytes(given.read())
        given.seek(start)
        if data:
            judge_bytes(data, loader, signed=loader.signed)


def _follow(given: Any, stream: Any) -> None:
    if not given.closed:
        given.seek(0, os.SEEK_END) if stream.closed else given.seek(stream.tell())


def _tell(given: Any) -> int | None:
    try:
        return int(given.tell()) if given.seekable() else None
    except (AttributeError, OSError, ValueError, TypeError):
        return None


def _path_of(given: Any) -> str:
    """The path of the regular file whose bytes a file object gives, unchanged; "" where there is none."""
    for inner in ("f", "file"):  # fsspec's local files, temporary files
        given = getattr(given, inner, given)
    if not isinstance(given, io.BufferedReader | io.BufferedRandom | io.FileIO):
        return ""
    try:
        name, mine = given.name, os.fstat(given.fileno())
        there = os.stat(name) if isinstance(name, str | bytes) else None
    except (OSError, AttributeError, ValueError):
        return ""
    same = there is not None and (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)
    return os.path.abspath(os.fsdecode(name)) if same else ""


def _mode(loader: Loader, arguments: tuple[Any, ...], options: dict[str, Any]) -> str:
    """How a file is opened; only h5py's have another mode than for reading."""
    if loader.parameter != "name":
        return "r"
    mode = options.get("mode", arguments[2] if len(arguments) > 2 else "r")
    return str(mode or "r")


def _makes_a_file(loader: Loader, path: str, arguments: tuple[Any, ...], options: dict[str, Any]) -> bool:
    """Whether nothing that is there already is read."""
    mode = _mode(loader, arguments, options)
    if mode in ("w", "w-", "x"):
        return True
    return mode == "a" and not os.path.lexists(path)
