"""Every exception has its exit status and a message without a traceback."""

import io
import sys

import click
import pytest
from click.testing import CliRunner

from cli.console import choose_color, prepare, wants_color, write_out
from cli.failures import report_failure
from cli.main import COMMANDS, main
from policies import PolicyError
from provenance.errors import Malformed, ProvenanceError, Refused, Undecided, Unreadable, UsageError


def caused(problem: BaseException, cause: BaseException) -> BaseException:
    problem.__cause__ = cause
    return problem


@pytest.mark.parametrize(
    "problem, status",
    [
        (Refused("no"), 1),
        (Malformed("no"), 1),
        (UsageError("no"), 2),
        (PolicyError("no"), 2),
        (click.UsageError("No."), 2),
        (click.BadParameter("No."), 2),
        (caused(click.Abort(), EOFError()), 2),
        (Unreadable("no"), 3),
        (Undecided("no"), 3),
        (ProvenanceError("no"), 4),
        (ZeroDivisionError("no"), 4),
        (MemoryError(), 4),
        (RecursionError("no"), 4),
        (KeyboardInterrupt(), 130),
        (caused(click.Abort(), KeyboardInterrupt()), 130),
        (click.exceptions.Exit(0), 0),
    ],
)
def test_exit_statuses(problem: BaseException, status: int, capsys: pytest.CaptureFixture) -> None:
    assert report_failure(problem) == status
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Traceback" not in printed.err


def test_an_error_says_its_rule_and_the_usual_next_step(capsys: pytest.CaptureFixture) -> None:
    report_failure(Malformed("the bundle is not JSON", code="SIG008"))
    assert capsys.readouterr().err == (
        "error[SIG008]: the bundle is not JSON\n   = hint: fetch the bundle again from the signer\n"
    )


def test_messages_cannot_carry_terminal_escapes(capsys: pytest.CaptureFixture) -> None:
    report_failure(UsageError("cannot read \x1b]0;evil\x07", hint="a\nb"))
    report_failure(click.UsageError("No such option: \x1b[2J"))
    report_failure(ValueError("\x1b[2J"))
    assert "\x1b" not in capsys.readouterr().err


def test_an_internal_error_shows_its_traceback_only_on_request(
    capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        raise ZeroDivisionError("what happened")
    except ZeroDivisionError as problem:
        report_failure(problem)
        assert "what happened" in (quiet := capsys.readouterr().err)
        assert "report it" in quiet and "Traceback" not in quiet
        monkeypatch.setenv("PROVENANCE_DEBUG", "1")
        report_failure(problem)
        assert "Traceback" in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    "choice, env, terminal, wanted",
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_when_there_is_colour(choice, env, terminal, wanted, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    choose_color(choice)
    assert wants_color(Terminal() if terminal else io.StringIO()) is wanted
    prepare()


def test_a_full_disk_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w") as full, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", full)
        with pytest.raises(ProvenanceError, match="cannot write the output"):
            write_out("data")


def test_help_lists_every_command_in_the_order_of_the_work() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    listed = [line.split()[0] for line in lines[lines.index("Commands:") + 1 :] if line.startswith("  ")]
    assert listed[: len(COMMANDS)] == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_exists_and_has_help(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: provenance {name}")


def test_a_wrong_command_is_answered_with_the_right_one() -> None:
    result = CliRunner().invoke(main, ["verfy"])
    assert result.exit_code == 2
    assert "Did you mean 'verify'?" in result.stderr


def test_without_a_command_the_help_is_shown_as_wrong_use() -> None:
    result = CliRunner().invoke(main, [])
    assert result.exit_code == 2
    assert "Commands:" in result.output
