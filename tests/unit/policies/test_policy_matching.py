"""Counting distinct signers: the maximum matching between names and keys, against brute force."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st
from policy_strategies import NAMES, signers

from policies import Signer
from policies.judging.matching import count_distinct, maximum_matching


def key(fingerprint: str, *names: str, method: str = "key") -> Signer:
    return Signer(name=fingerprint, method=method, fingerprint=fingerprint, satisfies=names)


def person(identity: str, *names: str, issuer: str = "https://i", fingerprint: str = "x") -> Signer:
    return Signer(
        name=identity,
        method="sigstore",
        fingerprint=fingerprint,
        identity=identity,
        issuer=issuer,
        satisfies=names,
    )


def test_two_keys_of_one_signer_count_once():
    assert count_distinct([key("1", "alice"), key("2", "alice")], ["alice", "bob"]) == 1


def test_one_key_of_two_signers_counts_once():
    assert count_distinct([key("1", "alice", "bob")], ["alice", "bob"]) == 1


def test_one_key_that_signed_twice_counts_once():
    assert count_distinct([key("1", "alice"), key("1", "bob", method="certificate")], ["alice", "bob"]) == 1


def test_a_shared_key_stands_for_whoever_has_not_signed():
    assert count_distinct([key("1", "alice", "bob"), key("2", "alice")], ["alice", "bob"]) == 2
    assert count_distinct([key("1", "alice"), key("2", "alice", "bob")], ["alice", "bob"]) == 2


def test_names_that_are_not_accepted_do_not_count():
    assert count_distinct([key("1", "mallory"), key("2", "alice")], ["alice", "bob"]) == 1


def test_an_identity_counts_once_however_many_keys_it_was_given():
    both = [person("a@x", "alice", "bob", fingerprint="1"), person("a@x", "alice", "bob", fingerprint="2")]
    assert count_distinct(both, ["alice", "bob"]) == 1


def test_the_same_identity_at_two_issuers_is_two_people():
    both = [person("a@x", "alice", issuer="https://i"), person("a@x", "bob", issuer="https://j")]
    assert count_distinct(both, ["alice", "bob"]) == 2


def test_a_long_chain_of_exchanges_needs_no_recursion():
    edges = {(str(at),): [str(at), str(at + 1)] for at in range(3_000)}
    edges[("last",)] = ["0"]
    assert len(maximum_matching(edges)) == 3_001


def brute_force(edges: dict[tuple[str, ...], list[str]]) -> int:
    tokens = list(edges)
    slots = [*NAMES, *[None] * len(tokens)]
    return max(
        sum(name in edges[token] for token, name in zip(tokens, order, strict=False))
        for order in set(permutations(slots, len(tokens)))
    )


@given(
    st.dictionaries(
        st.sampled_from(["1", "2", "3", "4"]).map(lambda one: (one,)),
        st.lists(st.sampled_from(NAMES), unique=True),
    )
)
def test_it_is_the_maximum(edges):
    matched = maximum_matching(edges)
    assert len(matched) == brute_force(edges)
    assert len(set(matched.values())) == len(matched)
    assert all(name in edges[token] for name, token in matched.items())


@given(st.lists(signers, max_size=5), st.lists(st.sampled_from(NAMES)), st.randoms())
def test_order_and_repetition_change_nothing(some, accepted, random):
    shuffled = [*some, *some]
    random.shuffle(shuffled)
    assert count_distinct(some, accepted) == count_distinct(shuffled, accepted)


@given(st.lists(signers, max_size=5), signers, st.lists(st.sampled_from(NAMES)))
def test_one_more_signature_adds_at_most_one(some, more, accepted):
    before = count_distinct(some, accepted)
    assert before <= count_distinct([*some, more], accepted) <= before + 1
