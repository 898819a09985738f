"""Which unpickling is a message between processes of one program, and not the loading of a file.

A message counts as one where the function that called the unpickler is a receiver of ``multiprocessing``, of the
package ``multiprocess``, of joblib's loky or of torch, told by the code that runs and not by what the data says. Such
messages were pickled from live objects by a process of the same program, over a pipe that only the two hold; with the
guard in both, nothing that was refused can be among them. Connections over TCP are no such pipes, and not exempt.
"""

from __future__ import annotations

import os
import socket
import stat
import sys
from types import FrameType
from typing import Any

__all__ = ["receives"]

_ALL = frozenset(("*",))
# Where messages arrive: module -> functions by their qualified names.
_RECEIVERS = {
    f"{package}.{module}": names
    for package in ("multiprocessing", "multiprocess")
    for module, names in {
        "connection": frozenset(("_ConnectionBase.recv",)),
        "queues": frozenset(("Queue.get", "SimpleQueue.get")),
        "spawn": frozenset(("_main",)),
    }.items()
} | {
    "torch.multiprocessing.queue": frozenset(("ConnectionWrapper.recv",)),
    "torch._inductor.compile_worker.subproc_pool": frozenset(("SubprocPickler.loads",)),
    "joblib.externals.loky.backend.popen_loky_posix": frozenset(("<module>",)),
    "loky.backend.popen_loky_posix": frozenset(("<module>",)),
}
# What may stand between a receiver and the unpickler: unpicklers in Python, and rebuilding what a message wraps.
_BETWEEN = {
    "pickle": _ALL,
    "dill._dill": _ALL,
    "provenance.loading.guarding.unpicklers": _ALL,
    "provenance.loading.guarding.running": _ALL,
    "provenance.loading.guarding.loaders": _ALL,
    "joblib.numpy_pickle": frozenset(
        ("load_temporary_memmap", "_unpickle", "NumpyUnpickler.load_build", "NumpyArrayWrapper.read_array")
    ),
    "joblib.externals.loky.cloudpickle_wrapper": frozenset(("_reconstruct_wrapper",)),
    "loky.cloudpickle_wrapper": frozenset(("_reconstruct_wrapper",)),
    "torch.storage": frozenset(("_load_from_bytes",)),
    "torch.serialization": _ALL,
}
_DEPTH = 40


def receives(frame: FrameType | None) -> bool:
    """Whether the unpickler that was called from this frame reads a message of another process of the program."""
    for _ in range(_DEPTH):
        if frame is None:
            return False
        if _is(frame, _RECEIVERS):
            return not _is_remote(frame)
        if not _is(frame, _BETWEEN):
            return False
        frame = frame.f_back
    return False


def _is(frame: FrameType, table: dict[str, frozenset[str]]) -> bool:
    """Whether a function of the table runs in this frame: its globals must be the very module's."""
    home = name = frame.f_globals.get("__name__")
    if home == "__main__":
        name = getattr(frame.f_globals.get("__spec__"), "name", None)  # python -m MODULE
    wanted = table.get(name) if isinstance(name, str) else None
    if wanted is None or (wanted is not _ALL and frame.f_code.co_qualname not in wanted):
        return False
    module = sys.modules.get(str(home))
    return module is not None and vars(module) is frame.f_globals


def _is_remote(frame: FrameType) -> bool:
    """Whether what is received from is no pipe and no socket within this machine."""
    handle: Any = getattr(frame.f_locals.get("self"), "_handle", None)
    if not isinstance(handle, int):
        return False
    try:
        kind = os.fstat(handle).st_mode
        if not stat.S_ISSOCK(kind):
            return not stat.S_ISFIFO(kind)
        with socket.socket(fileno=os.dup(handle)) as sock:
            return sock.family != socket.AF_UNIX
    except (OSError, ValueError):
        return False
