"""Running a command under the guard: armed in every Python process of it before any code of the program."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any, Unpack

from policies import finding
from provenance.errors import UsageError
from provenance.loading.guard import GuardOptions, settle_terms
from provenance.loading.guarding.children import VARIABLE, environment
from provenance.loading.guarding.records import Armed, read_journal
from provenance.loading.guarding.reporting import GuardReport, cut_off, report_of

__all__ = ["run_guarded"]

_FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)


def run_guarded(command: Sequence[str], **options: Unpack[GuardOptions]) -> tuple[int, GuardReport]:
    """Run a command and return its exit status (128 and the signal's number where one ended it) and the report.

    ``options`` are those of ``GuardOptions``. The command's streams are those of this process. Raises ``UsageError``
    where there is no such command.
    """
    with tempfile.TemporaryDirectory(prefix="provenance-guard-", ignore_cleanup_errors=True) as journal:
        terms = settle_terms(journal, **options)
        inherited = [] if VARIABLE not in os.environ else _outer_terms()
        variables = environment([*inherited, terms], os.environ)
        status = _run(command, {**os.environ, **variables})
        records, complete = read_journal(journal)
    nothing = not any(isinstance(record, Armed) for record in records)
    said = "no Python process of the command was guarded"
    extra = [*cut_off(int(not complete)), *([finding("GRD004", said)] if nothing else [])]
    return status, report_of(terms.policy.name, records, extra)


def _outer_terms() -> list[Any]:
    """The guards under which this very command runs already, where it does."""
    import msgspec

    from provenance.loading.guarding.active import Terms

    return msgspec.json.decode(os.environ[VARIABLE], type=list[Terms])


def _run(command: Sequence[str], variables: dict[str, str]) -> int:
    try:
        process = subprocess.Popen(command, env=variables)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot run {command[0]}: {reason.lower()}") from error
    with _forwarding(process):
        status = process.wait()
    return 128 - status if status < 0 else status


@contextlib.contextmanager
def _forwarding(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Hand signals on to the command, and outlive them to write the report."""

    def forward(number: int, _frame: Any) -> None:
        # The terminal sends its own to both of us.
        if number not in (signal.SIGINT, signal.SIGQUIT):
            process.send_signal(number)

    before = {number: signal.signal(number, forward) for number in _FORWARDED}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
