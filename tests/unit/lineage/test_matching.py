"""Matching records to those of the inputs: unchanged, edited, unknown."""

from __future__ import annotations

import hashlib
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.lineage.matching import UNKNOWN, match_records, origin_at


def leaves(*records) -> bytes:
    return b"".join(hashlib.sha256(str(each).encode()).digest() for each in records)


def origins(output, *inputs):
    return [
        tuple(pair)
        for pair in match_records(leaves(*output), [leaves(*each) for each in inputs]).pairs.tolist()
    ]


NOWHERE = (UNKNOWN, UNKNOWN)


def test_what_was_kept_has_its_origin():
    assert origins("bd", "abc", "def") == [(0, 1), (1, 0)]
    assert origins("ca", "abc") == [(0, 2), (0, 0)]


def test_of_equal_records_the_first_counts():
    assert origins("xx", "axx", "x") == [(0, 1), (0, 1)]


def test_what_took_the_place_of_others_was_edited():
    found = match_records(leaves(*"a?c"), [leaves(*"abc")])
    assert found.pairs.tolist() == [[0, 0], [0, 1], [0, 2]]
    assert (found.unchanged, found.edited, found.unknown, found.edited_records) == ((2,), (1,), 0, (1,))
    assert origins("?bc", "abc") == [(0, 0), (0, 1), (0, 2)]
    assert origins("ab?", "abc") == [(0, 0), (0, 1), (0, 2)]


def test_what_was_inserted_or_stands_between_strangers_is_unknown():
    assert origins("a?b", "ab") == [(0, 0), NOWHERE, (0, 1)]
    assert origins("a?d", "abc", "d") == [(0, 0), NOWHERE, (1, 0)]
    assert origins("a?cb", "abc") == [(0, 0), NOWHERE, (0, 2), (0, 1)]
    assert origins("??", "ab") == [NOWHERE, NOWHERE]


def test_nothing_at_all():
    assert origins("", "ab") == []
    assert origins("a") == [NOWHERE]
    assert origins("a", "", "a") == [(1, 0)]
    assert match_records(b"", []).to_bytes() == b""


def test_the_lists_are_bounded():
    found = match_records(leaves(*range(2500)), [leaves("x")])
    assert (found.unknown, len(found.unknown_records)) == (2500, 1000)


records = st.lists(st.sampled_from("abcdefgh"), max_size=12)


@settings(max_examples=300)
@given(records, st.lists(records, max_size=4))
def test_it_agrees_with_a_plain_search(output, inputs):
    found = match_records(leaves(*output), [leaves(*each) for each in inputs])
    everything = [
        (batch, leaf, record) for batch, each in enumerate(inputs) for leaf, record in enumerate(each)
    ]
    edited = set(found.edited_records)
    data = found.to_bytes()
    for index, record in enumerate(output):
        first = next(((batch, leaf) for batch, leaf, other in everything if other == record), None)
        if first is not None:
            assert origin_at(data, index) == first
            assert index not in edited
        elif index not in edited:
            assert origin_at(data, index) is None
    taken = [origin_at(data, index) for index in sorted(edited)]
    kept = {origin_at(data, index) for index in range(len(output)) if index not in edited}
    assert not kept & set(taken)
    assert len(set(taken)) == len(taken)
    for (one, before), (other, after) in pairwise(zip(sorted(edited), taken, strict=True)):
        if other == one + 1:
            assert (after[0], after[1]) == (before[0], before[1] + 1)
    assert sum(found.unchanged) + sum(found.edited) + found.unknown == len(output)


def test_an_index_beyond_the_sidecar_has_no_origin():
    assert origin_at(bytes(8), 1) is None
    assert origin_at(bytes(8), -1) is None
    assert origin_at(bytes(12), 1) is None
