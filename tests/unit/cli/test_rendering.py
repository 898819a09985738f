import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import click
import pytest

from cli.rendering import FORMATS, renderer
from cli.rendering.report import Report
from cli.rendering.rules import explanation, rules_page
from cli.rendering.sarif import MOST_RESULTS
from cli.rendering.text import MOST_OF_A_RULE
from cli.rendering.wording import count, duration, size, verdict
from policies import RULES, finding
from tests.unit.cli.reports import ALL, CHANGED, HOSTILE, accepted, refused, scanned

FORBIDDEN = "\x1b\u202e\x7f\x9b"


def plain(form: str, report: Report) -> str:
    return click.unstyle(renderer(form)(report))


def flood(number: int) -> Report:
    found = tuple(finding("SIG005", "not covered", path=f"extra-{index}") for index in range(number))
    return replace(refused(), findings=(CHANGED, *found))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", ALL)
def test_no_terminal_escape_and_no_bidi_mark_gets_through(form: str, name: str) -> None:
    text = plain(form, ALL[name]())
    assert not set(text) & set(FORBIDDEN)
    assert "\n::error::x" not in text


@pytest.mark.parametrize(
    "number, text",
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (2_147_483_648, "2.1 GB"),
        (7 * 10**15, "7000.0 TB"),
    ],
)
def test_sizes(number: int, text: str) -> None:
    assert size(number) == text


def test_counts_and_durations() -> None:
    assert [count(n, "file") for n in (0, 1, 12000)] == ["0 files", "1 file", "12,000 files"]
    assert [duration(s) for s in (0.004, 0.94, 75.2)] == ["0.00 s", "0.9 s", "75 s"]


def test_the_verdict_is_the_last_line_of_text() -> None:
    line = plain("text", accepted()).splitlines()[-1]
    assert line == "accepted: 0 errors, 1 warning; 12 files, 2.1 GB checked in 0.9 s" == verdict(accepted())


def test_text_shows_the_place_from_where_the_user_stands() -> None:
    assert "  --> model/model.safetensors, bytes 8388608-12582912 (tensor" in plain("text", refused())


def test_text_puts_errors_next_to_the_verdict() -> None:
    text = plain("text", refused())
    assert text.index("note[SIG016]") < text.index("warning[SIG012]") < text.index("error[SIG003]")


def test_ten_thousand_findings_do_not_flood_text_and_are_whole_in_json() -> None:
    report = flood(10_000)
    text = plain("text", report)
    assert text.count("error[SIG005]") == MOST_OF_A_RULE
    assert "9,950 more errors of rule SIG005 left out" in text
    assert text.count("error[SIG003]") == 1
    assert len(json.loads(plain("json", report))["findings"]) == 10_001


def test_exactly_as_many_as_are_shown_leave_nothing_out() -> None:
    text = plain("text", flood(MOST_OF_A_RULE))
    assert text.count("error[SIG005]") == MOST_OF_A_RULE
    assert "left out" not in text


def test_json_has_exact_names_and_the_promised_members() -> None:
    document = json.loads(plain("json", refused()))
    assert document["schema"] == 1
    assert (document["command"], document["decision"]) == ("verify", "refused")
    assert set(document["findings"][0]) >= {"rule", "severity", "path", "where", "message", "hint"}
    assert document["findings"][1]["path"] == HOSTILE
    assert document["resources"][0] == {
        "name": "model.safetensors",
        "algorithm": "sha256",
        "digest": "cd" * 32,
    }
    signer = json.loads(plain("json", accepted()))["signers"][1]
    assert signer["time"] == "2026-10-02T09:30:00+00:00"
    assert json.loads(plain("json", scanned()))["files"][1]["decision"] == "undecided"


def test_json_is_ascii_and_holds_bytes_that_are_not_utf_8() -> None:
    text = plain("json", replace(refused(), findings=(finding("ART003", "x", path="a\udcff\x7f"),)))
    assert text.isascii()
    assert "\x7f" not in text
    assert json.loads(text)["findings"][0]["path"] == "a\\xff\x7f"


def test_junit_counts_what_it_holds() -> None:
    for name, failures, errors in (("accepted", 0, 0), ("refused", 3, 0), ("scanned", 0, 2)):
        suite = ET.fromstring(plain("junit", ALL[name]())).find("testsuite")
        assert suite is not None
        cases = suite.findall("testcase")
        assert int(suite.get("tests", "")) == len(cases)
        assert len(suite.findall("testcase/failure")) == int(suite.get("failures", "")) == failures
        assert len(suite.findall("testcase/error")) == int(suite.get("errors", "")) == errors


def test_junit_is_not_fooled_by_a_name_that_looks_like_its_own_markup() -> None:
    evil = finding("SIG016", "<failure>", path="<error a='b'>]]>")
    suite = ET.fromstring(plain("junit", replace(accepted(), findings=(evil,)))).find("testsuite")
    assert suite is not None
    assert (suite.get("failures"), suite.get("errors")) == ("0", "0")


def test_github_cannot_be_given_commands_by_a_file_name() -> None:
    lines = plain("github", refused()).splitlines()
    assert len(lines) == 5
    assert [line.split(" ")[0] for line in lines[:-1]] == ["::error", "::error", "::warning", "::notice"]
    evil = finding("SIG005", "y", path="a,b::c%0A")
    line = plain("github", replace(refused(), findings=(evil,))).splitlines()[0]
    assert "file=model/a%2Cb%3A%3Ac%250A," in line


def test_rules_are_explained_with_their_hint() -> None:
    text = click.unstyle(explanation(RULES["SIG003"]))
    assert RULES["SIG003"].title in text
    assert RULES["SIG003"].hint[:30] in text


def test_the_page_of_rules_lists_each_once() -> None:
    page = rules_page(RULES.values())
    assert all(page.count(f"### {rule}\n") == 1 for rule in RULES)


def test_an_unknown_format_is_an_error() -> None:
    with pytest.raises(ValueError):
        renderer("html")


def test_sarif_keeps_the_gravest_when_there_are_too_many() -> None:
    found = tuple(finding("SIG012", "n", path=f"n{index}") for index in range(MOST_RESULTS))
    log = json.loads(plain("sarif", replace(refused(), findings=(*found, CHANGED))))
    run = log["runs"][0]
    assert len(run["results"]) == MOST_RESULTS
    assert run["results"][0]["ruleId"] == "SIG003"
    assert (
        "1 more result left out" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]
    )
