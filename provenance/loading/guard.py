"""The verb ``guard``: inside the block whatever is unpickled or loaded obeys the policy, through any library.

A gate, not a sandbox: it stops files from running code as they are loaded, and does not hold back code that runs.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import TypedDict, Unpack

import msgspec

from policies import Finding, Policy
from policies.decisions import decide
from policies.evidence import Evidence
from policies.findings import DecisionName
from provenance.errors import ProvenanceError, Refused, UsageError
from provenance.loading.guarding.active import HERE, Guarding, Terms
from provenance.loading.guarding.arming import arm, disarm
from provenance.loading.guarding.children import reach_children
from provenance.loading.guarding.origins import is_library
from provenance.loading.guarding.records import read_journal
from provenance.loading.guarding.reporting import GuardReport, cut_off, report_of
from provenance.verification import settle_policy

__all__ = ["Guard", "GuardOptions", "guard", "settle_terms"]

AnyPath = str | PathLike[str]


class _Signers(TypedDict, total=False):
    keys: AnyPath | Iterable[AnyPath]
    certificate_chain: AnyPath | Iterable[AnyPath]
    identity: str
    issuer: str


class GuardOptions(_Signers, total=False):
    """What a guard is told: the signers, given on the spot or by ``policy``, as ``VerifyOptions`` has them."""

    trusted_root: AnyPath | None
    policy: str | Path | Policy | None
    store: AnyPath | Iterable[AnyPath]


class Guard:
    """An open guard, and what it has seen so far, in this process and in those that were started from it."""

    def __init__(self, guarding: Guarding) -> None:
        self._guarding = guarding
        self._closed: GuardReport | None = None

    def report(self) -> GuardReport:
        """Gather what was loaded, verified and refused; after the block it is as it was at its end."""
        if self._closed is not None:
            return self._closed
        mine = self._guarding
        others, complete = read_journal(mine.terms.journal, leave_out=0)
        lost = cut_off(mine.left_out + (not complete))
        return report_of(mine.terms.policy.name, [*mine.records, *others], lost)

    def close(self) -> None:
        """Keep the report, before what it is read from goes."""
        self._closed = self.report()

    @property
    def decision(self) -> DecisionName:
        """What came of all loads together: refused where one was refused, also where that was swallowed."""
        return self.report().decision

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found, each once."""
        return self.report().findings

    @property
    def exit_status(self) -> int:
        """The command's exit status: 0 accepted, 1 refused, 3 undecided."""
        return self.report().exit_status


@contextlib.contextmanager
def guard(**options: Unpack[GuardOptions]) -> Iterator[Guard]:
    """Hold every load in this block to a policy, in this process and in those that are started from it.

    Names that pickles import are judged as they come, by the allowlist of ``scan``; the loaders of torch, numpy,
    joblib, safetensors, keras and h5py have the signature (where the policy asks for one) and the content of the file
    judged first and are given a sealed copy. ``options`` are those of ``GuardOptions``; without any, ``strict``.

    Raises ``UsageError`` for a policy that cannot be used and ``Undecided`` (GRD006) where the guard cannot be armed.
    Loads raise ``Refused`` or ``Undecided``. A refusal that a library swallowed is raised again when the block ends.
    """
    with ExitStack() as stack:
        journal = stack.enter_context(_journal())
        guarding = Guarding(settle_terms(journal, **options))
        mine = Guard(guarding)
        arm(guarding)
        stack.callback(_leave, guarding)
        HERE.set((*HERE.get(), guarding))
        reach_children()
        stack.callback(mine.close)
        stack.push(lambda _kind, error, _trace: _raise_swallowed(guarding, error))
        yield mine


def settle_terms(
    journal: str,
    *,
    policy: str | Path | Policy | None = None,
    trusted_root: AnyPath | None = None,
    store: AnyPath | Iterable[AnyPath] = (),
    **signers: Unpack[_Signers],
) -> Terms:
    """Turn options into terms that mean the same in every process.

    Raises ``UsageError`` for a policy that cannot be used, and ``Refused`` for one that has expired.
    """
    settled = settle_policy(policy, **signers)
    _check_expiry(settled)
    stores = [store] if isinstance(store, str | PathLike) else store
    return Terms(
        identifier=secrets.token_hex(8),
        policy=_with_absolute_paths(settled),
        journal=journal,
        trusted_root="" if trusted_root is None else os.path.abspath(trusted_root),
        store=tuple(os.path.abspath(one) for one in stores),
    )


def _check_expiry(policy: Policy) -> None:
    verdict = decide(
        msgspec.structs.replace(Policy(name=policy.name), expires=policy.expires),
        Evidence(subject=policy.name),
        now=datetime.now(UTC),
    )
    for found in verdict.findings:
        if found.rule == "POL001":
            raise Refused(found.message, code=found.rule, hint=found.hint)


def _with_absolute_paths(policy: Policy) -> Policy:
    """The same policy for a process with another working directory."""
    signers = tuple(
        msgspec.structs.replace(
            signer,
            keys=tuple(os.path.abspath(path) for path in signer.keys),
            certificates=tuple(os.path.abspath(path) for path in signer.certificates),
        )
        for signer in policy.signers
    )
    return msgspec.structs.replace(policy, signers=signers)


@contextlib.contextmanager
def _journal() -> Iterator[str]:
    """A directory that other processes of this user write to; it goes with the process that made it."""
    owner = os.getpid()
    try:
        place = tempfile.mkdtemp(prefix="provenance-guard-")
    except OSError as error:
        raise UsageError(f"cannot make a directory for the journal: {error.strerror}") from error
    try:
        yield place
    finally:
        if os.getpid() == owner:
            import shutil

            shutil.rmtree(place, ignore_errors=True)


def _leave(guarding: Guarding) -> None:
    HERE.set(tuple(one for one in HERE.get() if one is not guarding))
    disarm(guarding)
    reach_children()


def _raise_swallowed(guarding: Guarding, error: BaseException | None) -> bool:
    """Raise a refusal that a library caught: it made another exception of it, which comes by here, or went on."""
    raised = list(guarding.errors)
    guarding.errors.clear()
    for refused in reversed(raised):
        if refused is error:
            return False
        if _led_to(refused, error) or (error is None and _caught_by_library(refused.__traceback__)):
            raise refused from error
    return False


def _led_to(refused: Exception, error: BaseException | None) -> bool:
    """Whether one exception was raised while the other was handled."""
    for _ in range(100):
        if error is None or isinstance(error, ProvenanceError):
            return False
        error = error.__cause__ or error.__context__
        if error is refused:
            return True
    return False


def _caught_by_library(trace: TracebackType | None) -> bool:
    """Whether the outermost frame that an exception came to belongs to a library, which must have caught it there."""
    return trace is not None and is_library(trace.tb_frame.f_code.co_filename)
