"""Random graphs: the traversal against a plain recursive reference, and its bounds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lineage_world import statements_of

from provenance.lineage.authority import Authority
from provenance.lineage.claims import Claim, Input
from provenance.lineage.impact import impact_of_reference
from provenance.lineage.opening import Opened
from provenance.lineage.references import Reference
from provenance.lineage.tracing import follow
from provenance.lineage.traversal import Edge, walk
from provenance.signing.keys import fingerprint, generate
from provenance.signing.statements import trust_of_keys

NOW = datetime(2026, 11, 24, tzinfo=UTC)
KEY = generate("ed25519").public_key()
SIGNER = fingerprint(KEY)


def artifact(number: int) -> Reference:
    return Reference(f"{number:064x}", f"{number + 10**6:064x}", name=str(number))


def made(number: int, inputs, *, signer=SIGNER, where="") -> Claim:
    return Claim(
        where=where or f"{number} from {sorted(inputs)}",
        kind="train",
        statement=f"{number} {sorted(inputs)}",
        subjects=(artifact(number),),
        inputs=tuple(Input(artifact(each), "x") for each in sorted(inputs)),
        signer=signer,
    )


def given_by(number: int) -> Claim:
    return Claim(
        where=f"{number} given",
        kind="contribution",
        statement=f"{number} given",
        subjects=(artifact(number),),
        contributor="somebody",
        signer=SIGNER,
    )


def opened(claims) -> Opened:
    statements = statements_of(claims)
    return Opened(statements, Authority(trust_of_keys([KEY]), None, statements, now=NOW))


@st.composite
def graphs(draw, *, circles):
    """Up to nine artifacts; for each its derivations (lists of inputs, by a trusted key or a stranger) and if given."""
    count = draw(st.integers(1, 9))
    derivations, given_ = [], set()
    for number in range(count):
        others = st.integers(0, count - 1) if circles else st.integers(number + 1, count - 1)
        if circles or number + 1 < count:
            for inputs in draw(st.lists(st.sets(others, min_size=1, max_size=3), max_size=2)):
                derivations.append((number, frozenset(inputs), draw(st.booleans() | st.just(True))))
        if draw(st.booleans()):
            given_.add(number)
    return derivations, given_


def reached(derivations, given_):
    """Everything upstream of 0, by the rules for one artifact: trusted derivations, else a contribution, else others."""
    seen, states = set(), {}

    def visit(number):
        if number in seen:
            return
        seen.add(number)
        own = [(inputs - {number}, good) for subject, inputs, good in derivations if subject == number]
        good = [inputs for inputs, trusted in own if trusted and inputs]
        if good:
            states[number] = "proven"
        elif number in given_:
            states[number] = "proven"
        elif any(not trusted for _, trusted in own):
            states[number] = "asserted"
            good = [inputs for inputs, trusted in own if not trusted]
        else:
            states[number] = "missing"
        for inputs in good:
            for each in inputs:
                visit(each)

    visit(0)
    return states


def grounded(derivations, given_, states):
    """Whether 0 has an origin, by repeating the rule until nothing more is grounded."""
    found: set[int] = set()
    while True:
        more = {
            number
            for number in states
            if number in given_
            or any(
                subject == number and good and inputs - {number} and inputs - {number} <= found
                for subject, inputs, good in derivations
            )
        }
        if more <= found:
            return 0 in found
        found |= more


def expected_status(derivations, given_):
    states = reached(derivations, given_)
    for status in ("missing", "asserted"):
        if status in states.values():
            return status, set(states)
    return ("proven" if grounded(derivations, given_, states) else "missing"), set(states)


def claims_of(derivations, given_):
    claims = {
        made(n, inputs, signer=SIGNER if good else "", where=f"{n}{sorted(inputs)}{good}")
        for n, inputs, good in set(derivations)
    }
    return sorted([*claims, *(given_by(number) for number in given_)], key=lambda claim: claim.where)


@settings(max_examples=300, deadline=None)
@given(st.one_of(graphs(circles=False), graphs(circles=True)))
def test_it_agrees_with_a_recursive_reference(graph):
    derivations, given_ = graph
    found = opened(claims_of(derivations, given_))
    traced = follow(artifact(0), found.statements, found.authority, max_depth=100)
    status, nodes = expected_status(derivations, given_)
    assert traced.status == status
    assert {int(node.split()[0], 16) for node in traced.verdicts} == nodes
    for end in traced.ends:
        assert end.via[0] == "0"
        for after, before in zip(end.via, end.via[1:], strict=False):
            assert any(str(n) == after and int(before) in inputs for n, inputs, _ in derivations)


@settings(max_examples=200, deadline=None)
@given(graphs(circles=True))
def test_impact_is_everything_downstream(graph):
    derivations, given_ = graph
    found = impact_of_reference(artifact(0), opened(claims_of(derivations, given_)))
    downstream, pending = {0}, [0]
    while pending:
        source = pending.pop()
        for number, inputs, _ in derivations:
            if source in inputs and number not in downstream:
                downstream.add(number)
                pending.append(number)
    assert {int(each.name) for each in found.tainted} == downstream
    for each in found.tainted:
        assert (each.via[0], each.via[-1]) == ("0", each.name)


@settings(max_examples=200)
@given(
    st.dictionaries(st.integers(0, 12), st.sets(st.integers(0, 12), max_size=4), max_size=13),
    st.integers(0, 6),
)
def test_a_walk_finds_shortest_paths_within_its_depth(graph, depth):
    def expand(level):
        for source in level:
            for target in sorted(graph.get(int(source.name), ())):
                yield Edge(source, artifact(target), given_by(0), 0)

    walked = walk([artifact(0)], expand, max_depth=depth)
    distances, level = {0: 0}, [0]
    for step in range(1, 20):
        level = [
            t
            for s in level
            for t in graph.get(s, ())
            if t not in distances and not distances.setdefault(t, step)
        ]
        level = [t for t, d in distances.items() if d == step]
    assert {int(v.reference.name): v.depth for v in walked.visits.values()} == {
        n: d for n, d in distances.items() if d <= depth
    }
    for node, visit in walked.visits.items():
        assert len(walked.path(node)) == visit.depth + 1
    assert {int(node.split()[0], 16) for node in walked.cut} == {
        s for s, d in distances.items() if d == depth and any(distances[t] > depth for t in graph.get(s, ()))
    }


@pytest.mark.parametrize("shape", ["chain", "fan"])
def test_very_many_artifacts(shape):
    """Neither depth nor breadth is a danger to the traversal; a million of each was tried by hand."""
    count = 100_000

    def expand(level):
        for source in level:
            number = int(source.name)
            targets = (
                range(1, count) if shape == "fan" and not number else [number + 1] if shape == "chain" else []
            )
            for target in targets:
                if target < count:
                    yield Edge(source, artifact(target), given_by(0), 0)

    assert len(walk([artifact(0)], expand, max_depth=10**9).visits) == count


def test_a_deep_chain_of_statements_is_followed_to_its_end():
    count = 3000
    found = opened([*(made(number, {number + 1}) for number in range(count)), given_by(count)])
    traced = follow(artifact(0), found.statements, found.authority, max_depth=10**9)
    assert traced.status == "proven"
    forward = impact_of_reference(artifact(count), found)
    assert len(forward.tainted) == count + 1
    assert max(len(each.via) for each in forward.tainted) < 100
