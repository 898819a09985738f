"""Policy files: every fault is named with its line, and what is written is what holds."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import BUILTIN, Policy, PolicyError, SignerRule, Waiver, parse_policy

VECTORS = Path(__file__).parents[2] / "vectors" / "policies"
EXPECTED = json.loads((VECTORS / "bad" / "expected.json").read_text("utf-8"))


def read(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


def good(name: str) -> Policy:
    return parse_policy(read(VECTORS / "good" / f"{name}.toml"), name=name, base="/policies")


def test_every_bad_vector_has_its_expectation():
    assert {path.stem for path in (VECTORS / "bad").glob("*.toml")} == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_fault_is_named_with_its_line(name):
    with pytest.raises(PolicyError) as caught:
        parse_policy(read(VECTORS / "bad" / f"{name}.toml"), name="ours.toml", base="/policies")
    assert EXPECTED[name]["message"] in caught.value.message
    assert caught.value.line == EXPECTED[name]["line"]
    assert str(caught.value).startswith(f"ours.toml:{EXPECTED[name]['line']}: ")
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("path", sorted((VECTORS / "good").glob("*.toml")), ids=lambda path: path.stem)
def test_a_good_file_is_read(path):
    assert good(path.stem).name == path.stem


def test_an_empty_file_says_what_strict_says():
    strict = BUILTIN["strict"]
    policy = good("empty")
    assert (policy.signatures, policy.formats, policy.lineage) == (
        strict.signatures,
        strict.formats,
        strict.lineage,
    )
    assert policy.signers == ()
    assert policy.expires is None


def test_the_whole_file_of_the_documentation():
    policy = good("whole")
    assert policy.expires == date(2027, 6, 30)
    assert policy.signatures.threshold == 2
    assert policy.signatures.accept == ("release", "ci")
    assert policy.signers == (
        SignerRule(name="release", keys=("/policies/keys/alice.pub", "/policies/keys/bob.pub")),
        SignerRule(
            name="ci",
            identity="https://github.com/acme/models/.github/workflows/release.yml@refs/tags/*",
            issuer="https://token.actions.githubusercontent.com",
        ),
    )
    assert policy.formats.allow == ("safetensors", "gguf", "json")
    assert (policy.lineage.require, policy.lineage.max_depth) == ("proven", 16)
    assert policy.lineage.licences == ("CC-BY-4.0", "ODC-By-1.0")
    assert policy.contributors.roster == "/policies/roster.toml"
    assert policy.contributors.roster_keys == ("/policies/keys/maintainer.pub",)
    assert policy.contributors.required


def test_all_named_signers_are_accepted_unless_some_are_chosen():
    assert good("inline").signatures.accept == ("a", "b")
    assert good("inline").signers[1].certificates == ("/policies/ca.pem",)
    assert good("dotted").signatures.threshold == 2


def test_paths_are_taken_from_the_folder_of_the_file():
    policy = good("absolute-paths")
    assert policy.signers[0].keys == ("/etc/keys/a.pub", "/policies/b.pub", "/policies/../c.pub")
    assert policy.contributors.roster == "/etc/roster.toml"


@pytest.mark.parametrize(
    ("base", "key"), [("", "a.pub"), (".", "./a.pub"), ("/", "/a.pub"), ("/x/", "/x/a.pub")]
)
def test_any_spelling_of_the_folder(base, key):
    assert parse_policy("[signers.a]\nkeys = ['a.pub']", name="p", base=base).signers[0].keys == (key,)


def test_freshness_and_tolerance():
    signatures = good("freshness").signatures
    assert (signatures.max_age_days, signatures.uncovered, signatures.unsigned) == (90, "refuse", "warn")


def test_waivers_are_typed():
    day = date(2027, 1, 31)
    assert good("waivers").lineage.waivers == (
        Waiver(path="data/old.jsonl", reason="older than our signing", expires=day),
        Waiver(digest="sha256:" + "a1" * 32, reason="its producer is gone", expires=day),
    )


def test_an_expired_policy_is_read_and_only_judging_by_it_fails():
    assert good("expired").expires == date(2001, 1, 1)


def test_no_file_can_do_without_signatures():
    assert all(good(path.stem).signatures.required for path in (VECTORS / "good").glob("*.toml"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("#" * (1024 * 1024 + 1), "larger than 1 MiB"),
        ("#" + "é" * (512 * 1024), "larger than 1 MiB"),
        ("a = " + "[" * 100_000, "nested too deeply"),
        ("a." * 500_000 + "a = 1", "nested too deeply"),
        ("a = " + "9" * 5_000, "not TOML"),
        ('version = 1\na = """', "not TOML"),
        ("\ufeffversion = 1", "not TOML"),
        ("\0", "not TOML"),
        ("\ud800", "not TOML"),
    ],
    ids=["large", "large-in-bytes", "deep", "deep-key", "digits", "unclosed", "mark", "nul", "surrogate"],
)
def test_hostile_files_are_refused_before_they_cost_anything(text, message):
    with pytest.raises(PolicyError, match=message):
        parse_policy(text, name="p", base="")


@pytest.mark.parametrize("count", [1_000])
def test_a_large_file_within_the_bounds_is_read(count):
    text = "".join(f"[signers.s{number}]\nkeys = ['{number}.pub']\n" for number in range(count))
    assert len(parse_policy(text, name="p", base="").signatures.accept) == count


def outcome_of(text: str) -> Policy | PolicyError:
    try:
        return parse_policy(text, name="p", base="")
    except PolicyError as error:
        return error


@given(st.text(alphabet="ab=[]{}.,'\"#\n 1-:\\", max_size=60))
def test_garbage_gives_a_policy_or_a_clear_error(text):
    found = outcome_of(text)
    if isinstance(found, PolicyError):
        assert found.message
        assert 0 <= found.line <= text.count("\n") + 1


@given(st.data())
def test_one_damaged_character_never_gives_a_traceback(data):
    text = read(VECTORS / "good" / "whole.toml")
    at = data.draw(st.integers(0, len(text) - 1))
    char = data.draw(st.characters(codec="utf-8"))
    found = outcome_of(text[:at] + char + text[at + 1 :])
    if isinstance(found, PolicyError):
        assert found.line > 0
    else:
        assert found.signatures.threshold >= 1
        assert found.signatures.required
