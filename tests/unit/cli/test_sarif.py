"""SARIF: what the standard (2.1.0) and GitHub's upload ask for, written as a small schema of our own."""

import json
from dataclasses import replace
from urllib.parse import unquote

import jsonschema
import pytest

from cli.rendering import renderer
from cli.rendering.report import Report
from policies import RULES, finding
from tests.unit.cli.reports import ALL, CHANGED, refused


def text_object(**more) -> dict:
    return {
        "type": "object",
        "required": ["text"],
        "properties": {"text": {"type": "string", "minLength": 1}},
        "additionalProperties": False,
        **more,
    }


def closed(required: list[str], **properties) -> dict:
    return {
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": False,
    }


LEVEL = {"enum": ["none", "note", "warning", "error"]}
URI = {"type": "string", "pattern": r"^[!-~]+$"}
RULE = closed(
    ["id", "shortDescription", "fullDescription", "help", "helpUri", "defaultConfiguration", "properties"],
    id={"type": "string", "pattern": "^[A-Z]{3}[0-9]{3}$"},
    shortDescription=text_object(),
    fullDescription=text_object(),
    help=text_object(),
    helpUri={"type": "string", "pattern": "^https://"},
    defaultConfiguration=closed(["level"], level=LEVEL),
    properties=closed(
        ["security-severity", "tags"],
        **{
            "security-severity": {"type": "string", "pattern": r"^(10\.0|[0-9]\.[0-9])$"},
            "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        },
    ),
)
LOCATION = closed(
    ["physicalLocation"],
    physicalLocation=closed(
        ["artifactLocation", "region"],
        artifactLocation=closed(["uri"], uri=URI, uriBaseId={"type": "string"}),
        region=closed(["startLine"], startLine={"const": 1}),
    ),
    logicalLocations={
        "type": "array",
        "items": closed(["fullyQualifiedName"], fullyQualifiedName={"type": "string"}),
    },
)
RESULT = closed(
    ["ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints"],
    ruleId={"type": "string"},
    ruleIndex={"type": "integer", "minimum": 0},
    level=LEVEL,
    message=text_object(),
    locations={"type": "array", "minItems": 1, "maxItems": 1, "items": LOCATION},
    partialFingerprints={"type": "object", "minProperties": 1, "additionalProperties": {"type": "string"}},
)
INVOCATION = closed(
    ["executionSuccessful"],
    executionSuccessful={"type": "boolean"},
    exitCode={"type": "integer"},
    exitCodeDescription={"type": "string"},
    toolExecutionNotifications={
        "type": "array",
        "items": closed(["message"], message=text_object(), level=LEVEL),
    },
)
DRIVER = closed(
    ["name", "rules"],
    name={"const": "provenance"},
    semanticVersion={"type": "string"},
    informationUri={"type": "string", "pattern": "^https://"},
    rules={"type": "array", "items": RULE, "uniqueItems": True},
)
RUN = closed(
    ["tool", "results"],
    tool=closed(["driver"], driver=DRIVER),
    automationDetails=closed(["id"], id={"type": "string", "pattern": "/$"}),
    invocations={"type": "array", "items": INVOCATION},
    results={"type": "array", "maxItems": 25_000, "items": RESULT},
    properties={"type": "object"},
)
LOG = closed(
    ["version", "runs"],
    **{
        "$schema": {"type": "string"},
        "version": {"const": "2.1.0"},
        "runs": {"type": "array", "items": RUN, "minItems": 1},
    },
)


def run_of(report: Report) -> dict:
    log = json.loads(renderer("sarif")(report))
    jsonschema.validate(log, LOG)
    return log["runs"][0]


@pytest.mark.parametrize("name", ALL)
def test_a_log_has_the_shape_of_the_standard(name: str) -> None:
    run = run_of(ALL[name]())
    ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [ids[result["ruleIndex"]] for result in run["results"]] == [r["ruleId"] for r in run["results"]]
    assert sorted(ids) == ids


def test_every_rule_of_the_table_can_be_reported() -> None:
    found = tuple(finding(rule, "something") for rule in RULES)
    run = run_of(replace(refused(), findings=found))
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == sorted(RULES)


def test_paths_are_relative_to_the_working_directory(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    def uri(path: str, **changes) -> str:
        report = replace(refused(), findings=(finding("SIG003", "x", path=path),), **changes)
        location = run_of(report)["results"][0]["locations"][0]
        return location["physicalLocation"]["artifactLocation"]["uri"]

    assert uri("a b/ü%.bin") == "model/a%20b/%C3%BC%25.bin"
    assert uri("x.bin", subject=f"{tmp_path}/m", base=f"{tmp_path}/m") == "m/x.bin"
    assert uri("x.bin", subject="/elsewhere", base="/elsewhere") == "file:///elsewhere/x.bin"
    assert uri("", subject="m") == "m"
    assert uri("a:b.bin", subject="a:b.bin", base="") == "./a%3Ab.bin"
    assert unquote(uri("x\udcff"), encoding="latin-1").endswith("x\xff")


def test_fingerprints_stay_when_only_the_message_changes_and_tell_twins_apart() -> None:
    def prints(*findings) -> list[str]:
        run = run_of(replace(refused(), findings=findings))
        return [next(iter(result["partialFingerprints"].values())) for result in run["results"]]

    other_words = finding("SIG003", "other words", path=CHANGED.path, where=CHANGED.where)
    elsewhere = finding("SIG003", "x", path=CHANGED.path, where="bytes 0-1")
    assert prints(CHANGED) == prints(other_words)
    assert prints(CHANGED) != prints(elsewhere)
    assert len(set(prints(CHANGED, CHANGED))) == 2


def test_an_undecided_run_did_not_succeed() -> None:
    assert run_of(ALL["scanned"]())["invocations"][0]["executionSuccessful"] is False
    assert run_of(ALL["refused"]())["invocations"][0]["executionSuccessful"] is True
