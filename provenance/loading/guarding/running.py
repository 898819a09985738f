"""The second net: while a file is loaded, nothing that only running code does may happen.

Allowed names, and what their calls make, need none of it. So whatever reached past the allowlist, by a warm cache or
by an unpickler that resolves names itself, is stopped where it begins to act. The modules that allowed names are
imported from are left alone: their own code runs when they are imported, and they may do as they like.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType
from typing import Any

__all__ = ["EVENTS", "Loading", "acts", "loading", "present_load", "unwatched"]

EVENTS = frozenset(
    (
        *("marshal.load", "marshal.loads", "exec", "compile", "code.__new__", "function.__new__"),
        *("ctypes.dlopen", "ctypes.dlsym", "ctypes.dlsym/handle", "ctypes.call_function", "ctypes.cdata"),
        *("os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.startfile"),
        *("subprocess.Popen", "pty.spawn", "cpython.run_command", "cpython.run_file", "cpython.run_module"),
        *(
            "os.remove",
            "os.rename",
            "os.rmdir",
            "os.mkdir",
            "os.link",
            "os.symlink",
            "os.truncate",
            "os.chmod",
        ),
        *("os.chown", "os.putenv", "os.unsetenv", "os.kill", "os.utime", "os.setxattr", "os.chdir"),
        *("shutil.copyfile", "shutil.move", "shutil.rmtree", "shutil.unpack_archive", "tempfile.mkstemp"),
        *("socket.__new__", "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname"),
        *("urllib.Request", "webbrowser.open", "ftplib.connect", "smtplib.connect", "sqlite3.connect"),
        *("sys.settrace", "sys.setprofile", "gc.get_objects", "gc.get_referrers", "gc.get_referents"),
        *("builtins.input", "builtins.breakpoint", "code.__new__", "signal.pthread_kill", "syslog.openlog"),
        "open",
    )
)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_IMPORTING = ("importlib._bootstrap", "importlib._bootstrap_external")
_LOADERS = ("provenance.loading.guarding.loaders", "provenance.loading.guarding.unpicklers")
_DEPTH = 400
_READS_ONLY = ast.parse.__code__  # what numpy reads headers with; it makes a tree and no code


class Loading:
    """One call of a guarded loader: what it loads, whether that was proven before, and what was refused meanwhile."""

    def __init__(self, path: str = "", *, proven: bool = False, net: bool = True) -> None:
        self.path = path
        self.proven = proven
        self.net = net
        self.open = True
        self.refused: list[Exception] = []


_LOADING: ContextVar[Loading | None] = ContextVar("provenance-loading", default=None)


def present_load() -> Loading | None:
    """The load within which this code runs, or None; one that has ended is none, also in a context copied from it."""
    found = _LOADING.get()
    return found if found is not None and found.open else None


@contextmanager
def loading(path: str = "", *, proven: bool = False, net: bool = True) -> Iterator[Loading]:
    """Mark what runs in this block, in this thread, as the loading of a file.

    What was refused meanwhile is raised again where the loader swallowed it or made another exception of it: callers
    catch ``UnpicklingError`` to try again unsafely.
    """
    outer = present_load()
    mine = Loading(path or (outer.path if outer else ""), proven=proven, net=net)
    token = _LOADING.set(mine)
    try:
        yield mine
    except Exception as error:
        if mine.refused and error is not mine.refused[-1]:
            raise mine.refused[-1] from error
        raise
    finally:
        mine.open = False
        _LOADING.reset(token)
        if outer is not None:
            outer.refused += mine.refused
    if mine.refused:
        raise mine.refused[-1]


@contextmanager
def unwatched() -> Iterator[None]:
    """Let the guard's own work be no part of the load within which it judges another one."""
    outer = present_load()
    mine = Loading(outer.path if outer else "", net=False)
    if outer is not None:
        mine.refused = outer.refused
    token = _LOADING.set(mine)
    try:
        yield
    finally:
        _LOADING.reset(token)


def acts(event: str, arguments: tuple[Any, ...], frame: FrameType | None) -> bool:
    """Whether an event is one of running code, and not of a file that is read or of a module that is imported."""
    if event == "open" and not _opens_to_write(arguments):
        return False
    if event == "compile" and frame is not None and frame.f_code is _READS_ONLY:
        return False
    return not _imports(frame)


def _opens_to_write(arguments: tuple[Any, ...]) -> bool:
    flags = arguments[2] if len(arguments) > 2 else 0
    return isinstance(flags, int) and bool(flags & _WRITES)


def _imports(frame: FrameType | None) -> bool:
    """Whether the event comes from the importing of a module, between the loader and what happens now."""
    for _ in range(_DEPTH):
        name = None if frame is None else frame.f_globals.get("__name__")
        if frame is None or name in _LOADERS:
            return False
        if name in _IMPORTING:
            return True
        frame = frame.f_back
    return False
