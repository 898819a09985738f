"""Torch checkpoints that a policy allows: verified and scanned first, then read by torch's own restricted unpickler."""

from __future__ import annotations

import re
from typing import Any

from provenance.errors import Refused, UsageError
from provenance.loading.memfd import sealed_copy
from provenance.loading.proving import ProvenFile

__all__ = ["load_checkpoint"]

# Older ones corrupt the heap behind weights_only (CVE-2026-24747).
_OLDEST = (2, 10)


def load_checkpoint(file: ProvenFile) -> dict[str, Any]:
    """Load a proven ``.pt`` from a sealed copy with ``torch.load(weights_only=True)``, onto the CPU.

    Raises ``UsageError`` without torch 2.10 or newer, and ``Refused`` where torch itself refuses.
    """
    try:
        import torch
    except ImportError as error:
        raise UsageError("torch is not installed", hint="install ml-provenance[torch]") from error
    found = re.match(r"(\d+)\.(\d+)", torch.__version__)
    if found is None or (int(found[1]), int(found[2])) < _OLDEST:
        raise UsageError(
            f"torch {torch.__version__} is too old to load a checkpoint", hint="install torch 2.10 or newer"
        )
    with sealed_copy(file.entry.name, memoryview(file.buffer)) as path:
        try:
            loaded = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # noqa: BLE001 (whatever torch raises)
            # Not the original: callers catch UnpicklingError and retry with weights_only=False.
            said = str(error).strip().splitlines()[:1]
            raise Refused(
                f"torch does not load {file.entry.name}: {''.join(said)[:300]}", code="PKL002"
            ) from None
    if not isinstance(loaded, dict):
        raise UsageError(f"{file.entry.name} holds a {type(loaded).__name__} and no tensors by name")
    return loaded
