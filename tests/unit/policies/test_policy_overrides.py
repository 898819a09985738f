"""What the options of a command change in a policy."""

from __future__ import annotations

import pytest

from policies import BUILTIN, GIVEN, PolicyError, SignerRule, parse_policy, tolerating_unsigned, with_given


def test_signers_given_on_the_spot_are_one_signer():
    policy = with_given(
        BUILTIN["training"], keys=("a.pub", "b.pub"), identity="*@acme.com", issuer="https://i"
    )
    assert policy.signers == (
        SignerRule(name=GIVEN, keys=("a.pub", "b.pub"), identity="*@acme.com", issuer="https://i"),
    )
    assert (policy.signatures.accept, policy.signatures.threshold) == ((GIVEN,), 1)
    assert policy.formats == BUILTIN["training"].formats


def test_whoever_names_a_signer_asks_for_a_signature():
    assert with_given(BUILTIN["harmless"], keys=("a.pub",)).signatures.required


@pytest.mark.parametrize(
    ("fields", "fragment"),
    [
        ({}, "no key, certificate or identity"),
        ({"identity": "a@b"}, "given together"),
        ({"issuer": "https://i"}, "given together"),
        ({"identity": "*", "issuer": "https://i"}, "everybody"),
    ],
)
def test_what_cannot_be_given(fields, fragment):
    with pytest.raises(PolicyError, match=fragment) as caught:
        with_given(BUILTIN["strict"], **fields)
    assert caught.value.hint


def test_signers_of_a_policy_are_not_replaced():
    policy = parse_policy("[signers.a]\nkeys = ['a.pub']", name="ours.toml", base="")
    with pytest.raises(PolicyError, match="names its own"):
        with_given(policy, keys=("b.pub",))


def test_tolerating_unsigned_files_changes_nothing_else():
    policy = tolerating_unsigned(BUILTIN["ci"])
    assert policy.signatures.unsigned == "warn"
    assert policy.signatures.uncovered == "refuse"
    assert policy.formats == BUILTIN["ci"].formats
