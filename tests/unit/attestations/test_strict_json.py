"""JSON from untrusted hands: what is refused, and that it is refused before it costs anything."""

import json
import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.attestations.strict_json import decode, decode_tree
from provenance.errors import Malformed

scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.floats(-1e9, 1e9)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
)


@given(trees, st.sampled_from([None, 2]), st.booleans())
def test_valid_json_is_read_as_the_standard_library_reads_it(tree, indent, ascii_only):
    text = json.dumps(tree, indent=indent, ensure_ascii=ascii_only)
    assert decode_tree(text.encode()) == json.loads(text)


@given(st.dictionaries(st.text(), scalars, min_size=1), st.data())
def test_a_key_given_twice_is_refused_wherever_it_stands(members, data):
    key = data.draw(st.sampled_from(sorted(members)))
    pairs = [*members.items(), (key, data.draw(scalars))]
    pairs = data.draw(st.permutations(pairs))
    text = "{" + ",".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in pairs) + "}"
    for wrapped in (text, f"[{text}]", f'{{"outer":[0,{text}]}}'):
        with pytest.raises(Malformed, match="occurs twice") as caught:
            decode_tree(wrapped.encode())
        assert caught.value.code == "SIG008"


@pytest.mark.parametrize(
    "text",
    [
        rb'{"a":1,"\u0061":2}',
        b'{"a":1,"a":1}',
        rb'{"\\":1,"\\":2}',
        rb'{"\"":1,"\"":2}',
        b'{"":1,"":2}',
    ],
)
def test_keys_that_are_equal_once_unescaped_are_refused(text):
    with pytest.raises(Malformed, match="occurs twice"):
        decode_tree(text)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b"{",
        b'{"a":}',
        b"[1,]",
        b"[1] 2",
        b"[1]]",
        b"{}{}",
        b"NaN",
        b"[Infinity]",
        b"'a'",
        b'{"a":1,}',
        b"\xef\xbb\xbf{}",
        b'"\xff"',
        b'"\xed\xa0\x80"',
        rb'"\ud800"',
        b'"\n"',
        b'"abc',
        b'"abc\\',
        b"\\",
        b"[" * 100_000,
        b"1" * 5000,
        b"1e999",
    ],
)
def test_what_is_not_json_is_refused(text):
    with pytest.raises(Malformed) as caught:
        decode_tree(text)
    assert caught.value.code == "SIG008"


@given(st.binary(max_size=200))
def test_garbage_is_refused_or_is_json(data):
    try:
        tree = decode_tree(data)
    except Malformed:
        return
    assert tree == json.loads(data)


@given(st.text(alphabet='{}[]",:\\ a1', max_size=60))
def test_arrangements_of_punctuation_are_refused_or_are_json(text):
    try:
        tree = decode_tree(text.encode())
    except Malformed:
        return
    assert tree == json.loads(text)


@pytest.mark.parametrize("depth", [1, 31, 32])
def test_nesting_up_to_the_bound_is_read(depth):
    assert decode_tree(b"[" * depth + b"]" * depth) is not None
    mixed = b'{"a":[' * (depth // 2) + b"]}" * (depth // 2)
    assert decode_tree(mixed or b"[]") is not None


@pytest.mark.parametrize("depth", [33, 40, 500])
def test_nesting_beyond_the_bound_is_refused(depth):
    with pytest.raises(Malformed, match="nested"):
        decode_tree(b"[" * depth + b"]" * depth)
    with pytest.raises(Malformed, match="nested"):
        decode_tree(b'{"a":' * depth + b"1" + b"}" * depth)


def test_brackets_and_quotes_inside_of_strings_do_not_count():
    text = json.dumps({"]" * 50 + '"': "[" * 100 + '\\"{' * 20, "x": ["}", '"', "\\", '\\"', "a,b:c"]})
    assert decode_tree(text.encode(), max_depth=2, max_elements=7) == json.loads(text)


def test_size_is_bounded():
    assert decode_tree(b"[1]", max_bytes=3) == [1]
    with pytest.raises(Malformed, match="more than 3"):
        decode_tree(b"[1] ", max_bytes=3)


def test_the_number_of_elements_is_bounded_before_memory_is_taken():
    started = time.process_time()
    with pytest.raises(Malformed, match="elements"):
        decode_tree(b"[" + b"[]," * 6_000_000 + b"[]]")
    assert time.process_time() - started < 5


class Point(msgspec.Struct):
    x: int
    label: str = ""


def test_a_value_is_fitted_to_a_type():
    assert decode(b'{"x": 1, "other": {}}', Point) == Point(1)


@pytest.mark.parametrize(
    "text", [b"{}", b'{"x": "1"}', b'{"x": 1.5}', b'{"x": true}', b"[]", b'{"x":1,"label":null}']
)
def test_a_value_of_another_type_is_refused(text):
    with pytest.raises(Malformed, match="the point has a wrong form") as caught:
        decode(text, Point, what="the point")
    assert caught.value.code == "SIG008"


def test_members_that_the_type_does_not_know_may_not_hide_duplicates():
    with pytest.raises(Malformed, match="occurs twice"):
        decode(b'{"x": 1, "other": {"a": 1, "a": 2}}', Point)
