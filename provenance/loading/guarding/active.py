"""Which guards there are, and which of them the code that runs here and now must obey."""

from __future__ import annotations

import os
from collections import deque
from contextvars import ContextVar

import msgspec

from policies import Policy
from provenance.loading.guarding.records import MAX_RECORDS, Armed, Load, Record, Refusal, append
from provenance.scanning.pickles.allowlist import Allowed, allowed_by
from provenance.scanning.pickles.joblib import JOBLIB

__all__ = ["ACTIVE", "HERE", "Guarding", "Terms", "obeyed"]

# Each holds the frames that it came through, and what lies in them.
_KEPT = 16


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a guard holds loads to, in a form that other processes can be sent.

    ``journal`` is the directory that guarded processes write to; ``trusted_root`` a file of Sigstore's trust roots.
    """

    identifier: str
    policy: Policy
    journal: str
    trusted_root: str = ""
    store: tuple[str, ...] = ()


class Guarding:
    """A guard at work: its terms, and what it saw. ``everywhere`` where no code of this process can stand outside."""

    def __init__(self, terms: Terms, *, everywhere: bool = False) -> None:
        formats = terms.policy.formats
        self.terms = terms
        self.everywhere = everywhere
        self.open = True
        self.owner = os.getpid()
        self.allowed: Allowed = allowed_by(formats.profiles, formats.allow_globals)
        self.own_names = frozenset(formats.allow_globals)
        self.records: list[Record] = []
        self.errors: deque[Exception] = deque(
            maxlen=0 if everywhere else _KEPT
        )  # what was raised, the last of it
        self.left_out = 0

    def allows(self, module: str, name: str) -> bool:
        """Whether the policy has this very pair on a list; joblib's files consist of its wrapper of arrays."""
        return (module, name) in self.allowed or (module, name) == JOBLIB

    def write(self, record: Load | Refusal | Armed) -> None:
        """Write down, for the process that owns the guard to read."""
        if len(self.records) >= MAX_RECORDS:
            self.left_out += 1
            if not isinstance(record, Refusal):
                return
        record = msgspec.structs.replace(record, process=os.getpid())
        if len(self.records) < 2 * MAX_RECORDS:
            self.records.append(record)
            if os.getpid() != self.owner or self.everywhere:
                append(self.terms.journal, record)


# Every guard of this process that is open. Only ever replaced as a whole: the hook reads it in any thread.
ACTIVE: list[Guarding] = []
HERE: ContextVar[tuple[Guarding, ...]] = ContextVar("provenance-guards", default=())


def obeyed() -> tuple[Guarding, ...]:
    """The guards that the running code must obey, each of them.

    Those of its own context, and those that were armed for the whole process. Code without a guard of its own, such
    as a thread that was started earlier, obeys every guard that is open.
    """
    own = tuple(one for one in HERE.get() if one.open)
    if not own:
        return tuple(ACTIVE)
    return (*(one for one in ACTIVE if one.everywhere), *own)
