"""Persistent ids: torch's own form and no other (``torch/serialization.py``: persistent_id, persistent_load)."""

from __future__ import annotations

import re
from typing import Any

from provenance.scanning.pickles.machine import Machine
from provenance.scanning.pickles.values import UNKNOWN, Global, Storage, Unknown

__all__ = ["persistent_object"]

_DEVICE = re.compile(r"[a-z]{1,32}(:\d{1,4})?\Z")
_KEY = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")


def persistent_object(machine: Machine, pid: Any) -> Any:
    """The storage that a persistent id names, or unknown after it was reported (PKL008)."""
    if isinstance(pid, Unknown):
        return UNKNOWN
    if not machine.persistent:
        machine.refuse("PKL008", "names a persistent object, which only torch's files have")
        return UNKNOWN
    fault = _fault(pid)
    if fault:
        machine.refuse("PKL008", f"names a persistent object not as torch does: {fault}")
        return UNKNOWN
    if isinstance(pid[1], Unknown):  # reported where it was imported
        return UNKNOWN
    storage = Storage(pid[1].entry.name, pid[2], pid[4])
    known = machine.report.storages.setdefault(storage.key, storage)
    if (known.kind, known.items) != (storage.kind, storage.items):
        known.items = max(known.items, storage.items)
        if known.kind != storage.kind:
            machine.refuse("PKL008", f"names storage {storage.key} as {known.kind} and as {storage.kind}")
    return storage


def _fault(pid: Any) -> str:  # noqa: PLR0911 - one return a part
    """What is wrong with a persistent id ("storage", type, key, device, items[, view]), or empty."""
    if not isinstance(pid, tuple) or len(pid) not in (5, 6):
        return "it is no tuple of five"
    tag, kind, key, device, items = pid[:5]
    if tag != "storage":
        return "it is no storage"
    if isinstance(kind, Unknown):
        return ""
    if not isinstance(kind, Global) or kind.entry.use not in ("storage", "any"):
        return "its type is none of torch's storages"
    if not isinstance(key, str) or not _KEY.match(key):
        return "its key is no plain name"
    if not isinstance(device, str) or not _DEVICE.match(device):
        return "its device is no device's name"
    if not isinstance(items, int) or not 0 <= items < 1 << 62:
        return "its size is no size"
    return ""
