"""The table of rules: ids that stay, texts that help."""

from __future__ import annotations

import re

import pytest

from policies import RULES, Finding, PolicyError, Rule, UnknownRule, explain, finding, outcome
from policies.rules.model import table

# Ids are a contract: scripts and policies of other people name them. Add to these, never take away or renumber.
OPEN_QUESTIONS = {"ART008", "ART009", "ART010", "FMT001", "LIN001", "PKL003", "POL002", "POL004"} | {
    "SIG001",
    "SIG009",
    "SIG018",
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_each_rule_says_what_it_means_and_what_to_do(rule):
    assert re.fullmatch(r"[A-Z]{3}\d{3}", rule.id)
    assert rule.title
    assert rule.title[0].islower() or rule.title.split()[0].isupper()
    assert not rule.title.endswith(".")
    assert rule.explanation.endswith(".")
    assert rule.explanation[0].isupper() or rule.explanation[0] == "`"
    assert rule.hint
    assert not rule.hint.endswith(".")


def test_no_number_is_left_out():
    numbers: dict[str, list[int]] = {}
    for rule_id in RULES:
        numbers.setdefault(rule_id[:3], []).append(int(rule_id[3:]))
    for family, found in numbers.items():
        assert sorted(found) == list(range(1, len(found) + 1)), family


def test_titles_are_told_apart():
    assert len({rule.title for rule in RULES.values()}) == len(RULES)


def test_open_questions_are_not_refusals():
    for rule_id in OPEN_QUESTIONS:
        assert RULES[rule_id].outcome == "undecided"
    for rule_id in ("SIG002", "SIG003", "SIG006", "SIG007", "SIG008", "PKL001", "PKL002", "POL001", "FMT002"):
        assert RULES[rule_id].outcome == "refuse"


def test_one_id_is_one_rule():
    rule = Rule(id="SIG001", title="x", explanation="x")
    with pytest.raises(ValueError, match="SIG001 is defined twice"):
        table(rule, rule)


@pytest.mark.parametrize("written", ["SIG001", "sig001", " Sig001\n"])
def test_rules_are_found_whatever_the_letter_case(written):
    assert explain(written) is RULES["SIG001"]


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("SIG0O1", "SIG001"),
        ("PKL02", "PKL002"),
        ("sig-3", "SIG003"),
        ("SIGN001", "SIG001"),
        ("nonsense", "SIG"),
    ],
)
def test_near_misses_are_suggested(written, hint):
    with pytest.raises(UnknownRule) as caught:
        explain(written)
    assert hint in caught.value.hint
    assert written in caught.value.message
    assert isinstance(caught.value, PolicyError)
    assert isinstance(caught.value, LookupError)


def test_an_endless_id_is_cut():
    with pytest.raises(UnknownRule) as caught:
        explain("x" * 1_000_000)
    assert len(caught.value.message) < 200


def test_a_finding_takes_severity_and_hint_from_its_rule():
    found = finding("SIG012", "x")
    assert (found.severity, found.hint) == ("warning", RULES["SIG012"].hint)
    assert finding("SIG012", "x", severity="error", hint="do").severity == "error"


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([], "accepted"),
        (["SIG010"], "accepted"),
        (["SIG001"], "undecided"),
        (["SIG001", "SIG003"], "refused"),
        (["SIG003", "SIG001"], "refused"),
        (["SIG016", "SIG001"], "undecided"),
    ],
)
def test_outcome(rules, expected):
    assert outcome([finding(rule, "x") for rule in rules]) == expected


def test_an_error_of_a_rule_that_nobody_knows_refuses():
    assert outcome((Finding(rule="XXX999", severity="error", message="x"),)) == "refused"
    assert outcome((Finding(rule="XXX999", severity="note", message="x"),)) == "accepted"
