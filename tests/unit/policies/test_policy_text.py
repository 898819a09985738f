"""A policy that is written and read again is the same policy."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import (
    BUILTIN,
    BUILTIN_PURPOSES,
    FORMATS,
    ContributorPolicy,
    FormatPolicy,
    LineagePolicy,
    Policy,
    SignaturePolicy,
    SignerRule,
    Waiver,
    parse_policy,
    policy_text,
)

GOOD = sorted((Path(__file__).parents[2] / "vectors" / "policies" / "good").glob("*.toml"))

WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(
    lambda text: text.strip() and text.isprintable()
)
SEVERAL = st.lists(WORDS, max_size=3, unique=True).map(tuple)
DAYS = st.dates()
SIGNER_NAMES = st.text("abz019._@+-", min_size=1, max_size=6)


@st.composite
def file_policies(draw):
    names = draw(st.lists(SIGNER_NAMES, max_size=3, unique=True))
    signers = tuple(
        SignerRule(
            name=name,
            keys=(name, *draw(SEVERAL.filter(lambda some, name=name: name not in some))),
            identity=draw(st.just("a@b")),
            issuer="https://i",
        )
        for name in names
    )
    roster = draw(st.just("") | WORDS)
    return Policy(
        name="drawn",
        expires=draw(st.none() | DAYS),
        signers=signers,
        signatures=SignaturePolicy(
            threshold=draw(st.integers(1, max(1, len(names)))),
            accept=tuple(draw(st.permutations(names))),
            max_age_days=draw(st.none() | st.integers(1, 36_525)),
            uncovered=draw(st.sampled_from(["warn", "refuse"])),
            unsigned=draw(st.sampled_from(["warn", "refuse"])),
        ),
        formats=FormatPolicy(
            pickle="allowlist",
            allow=tuple(draw(st.lists(st.sampled_from(FORMATS), unique=True))),
            profiles=draw(st.sampled_from([(), ("tensors",)])),
            allow_globals=draw(st.sampled_from([(), ("a.b", "c.d.E_")])),
        ),
        lineage=LineagePolicy(
            require=draw(st.sampled_from(["none", "asserted", "proven"])),
            max_depth=draw(st.integers(1, 1_000)),
            licences=draw(SEVERAL),
            waivers=tuple(
                draw(st.lists(st.builds(Waiver, reason=WORDS, expires=DAYS, path=WORDS), max_size=2))
            ),
        ),
        contributors=ContributorPolicy(
            roster=roster, roster_keys=draw(SEVERAL), forbid=draw(SEVERAL), required=bool(roster)
        ),
    )


@given(file_policies())
def test_any_policy_of_a_file(policy):
    assert parse_policy(policy_text(policy), name="drawn", base="") == policy


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_the_vectors(path):
    policy = parse_policy(path.read_bytes().decode("utf-8"), name=path.stem, base="/policies")
    assert (
        parse_policy(policy_text(policy), name=path.stem, base="/elsewhere" if not policy.signers else "/")
        == policy
    )


@pytest.mark.parametrize("name", sorted(BUILTIN))
def test_builtin_policies_can_be_shown_and_copied(name):
    text = policy_text(BUILTIN[name])
    tomllib.loads(text)
    assert parse_policy(text, name=name, base="").formats == BUILTIN[name].formats
    assert ("no signature is asked for" in text) == (name == "harmless")
    assert ("a roster is required" in text) == (name == "federated")


def test_builtin_policies_are_named_and_described():
    assert set(BUILTIN) == {"strict", "ci", "training", "federated", "harmless"} == set(BUILTIN_PURPOSES)
    assert all(policy.name == name for name, policy in BUILTIN.items())
    assert [name for name, policy in BUILTIN.items() if not policy.signatures.required] == ["harmless"]
    with pytest.raises(TypeError):
        BUILTIN["strict"] = BUILTIN["harmless"]


def test_a_name_cannot_break_out_of_its_comment():
    text = policy_text(Policy(name="x\n[signatures]\nthreshold = 9", expires=date(2030, 1, 1)))
    assert parse_policy(text, name="x", base="").signatures.threshold == 1
