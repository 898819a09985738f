"""Arming other processes: by the environment, and by what ``multiprocessing`` sends to a child before all else.

Children by fork have the guard already. An interpreter that is started anew runs the ``sitecustomize`` of ours, which
stands first on PYTHONPATH. Children by spawn and forkserver are armed a second time by their preparation data, which
reaches them also where the environment does not.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from provenance.loading.guarding.active import ACTIVE, Guarding, Terms
from provenance.loading.guarding.arming import arm
from provenance.loading.guarding.records import Armed

__all__ = ["VARIABLE", "arm_all", "arm_from_environment", "environment", "reach_children"]

VARIABLE = "PROVENANCE_GUARD"
_PATH = "PYTHONPATH"
_STARTUP = str(Path(__file__).parent / "startup")


def environment(terms: Sequence[Terms], inherited: Mapping[str, str]) -> dict[str, str]:
    """The two variables by which the processes that get them are guarded."""
    return {
        VARIABLE: msgspec.json.encode(terms).decode(),
        _PATH: os.pathsep.join([_STARTUP, *_other_paths(inherited)]),
    }


def _other_paths(inherited: Mapping[str, str]) -> list[str]:
    return [path for path in inherited.get(_PATH, "").split(os.pathsep) if path and path != _STARTUP]


def reach_children() -> None:
    """Set the environment so that processes which are started now are guarded by the guards that are open now."""
    if ACTIVE:
        os.environ.update(environment([guard.terms for guard in ACTIVE], os.environ))
        return
    os.environ.pop(VARIABLE, None)
    others = _other_paths(os.environ)
    if others:
        os.environ[_PATH] = os.pathsep.join(others)
    else:
        os.environ.pop(_PATH, None)


def arm_from_environment() -> None:
    """Arm this process for as long as it lives, by the terms in its environment."""
    arm_all(os.environ.get(VARIABLE, "[]"))


def arm_all(text: str) -> None:
    """Arm this process for as long as it lives, by terms in JSON; those that it obeys already are left as they are."""
    known = {guard.terms.identifier for guard in ACTIVE}
    for terms in msgspec.json.decode(text, type=list[Terms]):
        if terms.identifier not in known:
            guard = Guarding(terms, everywhere=True)
            arm(guard)
            guard.write(Armed(command=" ".join(sys.orig_argv)[:1000]))
