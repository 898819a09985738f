"""From exceptions to exit statuses and messages: the one place that knows both."""

from __future__ import annotations

import os
import traceback

import click

from cli.console import error
from provenance.errors import ProvenanceError

__all__ = ["INTERNAL", "INTERRUPTED", "USAGE", "report_failure"]

USAGE = 2
INTERNAL = 4
INTERRUPTED = 130

# Older releases of click print the help themselves where no argument is given, and raise nothing.
_NO_ARGUMENTS: tuple[type[click.UsageError], ...] = tuple(
    getattr(click.exceptions, name) for name in ("NoArgsIsHelpError",) if hasattr(click.exceptions, name)
)


def report_failure(problem: BaseException) -> int:  # noqa: PLR0911 (one for each kind of failure)
    """Tell the user what went wrong, without a traceback, and give the exit status that goes with it."""
    match problem:
        case click.exceptions.Exit():
            return problem.exit_code
        case click.Abort():
            return _aborted(problem)
        case KeyboardInterrupt():
            return INTERRUPTED
        case ProvenanceError():
            error(problem.message, code=problem.code, hint=problem.hint or _usual_hint(problem.code))
            return problem.exit_status
        case click.UsageError() if isinstance(problem, _NO_ARGUMENTS):
            problem.show()
            return USAGE
        case click.ClickException():
            error(_sentence(problem), hint=_where_help_is(problem))
            return USAGE
        case _:
            return _policy_error(problem) or _internal(problem)


def _usual_hint(code: str) -> str:
    """Take the next step from the table of rules, where the error has a rule and no step of its own."""
    if not code:
        return ""
    from policies import RULES

    return RULES[code].hint if code in RULES else ""


def _aborted(problem: click.Abort) -> int:
    """Tell Ctrl-C from a prompt that nobody answers: click raises one exception for both."""
    if isinstance(problem.__cause__, EOFError):
        error("the question was not answered", hint="give the answer as an option; see --help")
        return USAGE
    return INTERRUPTED


def _sentence(problem: click.ClickException) -> str:
    """Take click's message in this project's form: it starts small and ends without a full stop."""
    message = problem.format_message().replace("\n\t", " ").strip().removesuffix(".")
    first, rest = message[:1], message[1:]
    return (first.lower() if rest[:1].islower() else first) + rest


def _where_help_is(problem: click.ClickException) -> str:
    context = getattr(problem, "ctx", None)
    return f"`{context.command_path} --help` shows how it is used" if context else ""


def _policy_error(problem: BaseException) -> int | None:
    """Report a policy that cannot be used; the ground floor has exceptions of its own."""
    from policies.errors import PolicyError

    if not isinstance(problem, PolicyError):
        return None
    error(str(problem), code="POL005" if problem.line else "", hint=problem.hint)
    return USAGE


def _internal(problem: BaseException) -> int:
    """Report a fault of this program: what, where it can be reported, the traceback only on request."""
    error(
        f"internal error: {type(problem).__name__}: {problem}",
        hint="this is a fault of provenance itself: please report it with the command and, run again with "
        "PROVENANCE_DEBUG=1, its traceback",
    )
    if os.environ.get("PROVENANCE_DEBUG"):
        traceback.print_exception(problem)
    return INTERNAL
