"""The end of every command that judges: write the report, give the exit status."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from cli.console import note, write_out
from cli.rendering import renderer
from cli.rendering.report import EXIT_STATUS, Report
from cli.rendering.wording import verdict
from policies import RULES, finding, outcome
from provenance.errors import Malformed, Refused, Undecided, Unreadable

__all__ = ["judge"]


def judge(command: str, subject: str, work: Callable[[], Report], form: str, output: str | None) -> int:
    """Do the work, time it, write its report in a format to standard output or a file; gives the exit status.

    Where the work ends in an exception that is a verdict, the report says so like any other.
    """
    started = time.perf_counter()
    try:
        report = work()
    except (Malformed, Unreadable, Refused, Undecided) as problem:
        if problem.code not in RULES:
            raise
        found = finding(problem.code, problem.message, hint=problem.hint)
        decision = outcome([found])
        report = Report(
            command=command,
            subject=subject,
            decision=decision,
            exit_status=EXIT_STATUS[decision],
            findings=(found,),
        )
    report = replace(report, seconds=time.perf_counter() - started)
    text = renderer(form)(report)
    if output is None:
        write_out(text)
    else:
        save(output, text)
        note(f"{verdict(report)}; written to {output}")
    return report.exit_status


def save(path: str, text: str) -> None:
    """Write a file whole or not at all, without colours; raises UsageError where that cannot be."""
    from pathlib import Path

    import click

    from provenance.artifacts.atomic import write_atomically
    from provenance.errors import UsageError

    try:
        write_atomically(Path(path), click.unstyle(text).encode("utf-8", "backslashreplace"))
    except OSError as problem:
        raise UsageError(f"cannot write {path}: {problem.strerror}") from problem
