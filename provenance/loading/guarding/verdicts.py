"""The end of judging a load: it is written down, and raised where it is not accepted."""

from __future__ import annotations

from typing import Any

from policies import outcome
from provenance.errors import Refused, Undecided
from provenance.loading.guarding.active import Guarding
from provenance.loading.guarding.records import Load
from provenance.loading.guarding.running import present_load

__all__ = ["require"]


def require(guard: Guarding, load: Load, judgement: Any = None) -> None:
    """Write a load down; raise ``Refused`` or ``Undecided`` where it is not accepted."""
    guard.write(load)
    if load.decision == "accepted":
        return
    errors = [found for found in load.findings if found.severity == "error"]
    worst = next((found for found in errors if outcome([found]) == load.decision), None)
    kind = Refused if load.decision == "refused" else Undecided
    place = [load.path or load.loader, worst.where if worst else ""]
    said = ": ".join(part for part in (*place, worst.message if worst else "") if part)
    error = kind(
        said, judgement=judgement or load, code=worst.rule if worst else "", hint=worst.hint if worst else ""
    )
    guard.errors.append(error)
    current = present_load()
    if current is not None:
        current.refused.append(error)
    raise error
