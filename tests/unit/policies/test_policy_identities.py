"""Identity patterns: what fits, what is refused as a pattern, and what no stranger can make slow."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from policies import identity_matches, identity_problem
from policies.expressions import expression_matches, expression_problem

WORKFLOW = "https://github.com/acme/models/.github/workflows/release.yml"


@pytest.mark.parametrize(
    ("pattern", "identity"),
    [
        ("release@acme.com", "release@acme.com"),
        ("*@acme.com", "anybody@acme.com"),
        ("release-*@acme.com", "release-1@acme.com"),
        (f"{WORKFLOW}@refs/tags/*", f"{WORKFLOW}@refs/tags/v1.0"),
        (f"{WORKFLOW}@refs/tags/*", f"{WORKFLOW}@refs/tags/nightly/v1@x"),
        (f"{WORKFLOW}@*", f"{WORKFLOW}@refs/heads/main"),
        ("https://github.com/acme/*", f"{WORKFLOW}@refs/heads/main"),
        (
            "https://github.com/*/models/.github/workflows/re*e.yml@refs/tags/v*.*",
            f"{WORKFLOW}@refs/tags/v1.2",
        ),
        ("a*b*c", "a-b-b-c"),
        ("regex:release-[0-9]+@acme\\.com", "release-12@acme.com"),
        ("regex:^release@acme\\.com$", "release@acme.com"),
        ("regex:(?:alice|bob)@acme\\.com", "bob@acme.com"),
        ("spiffe://acme/ns/*/sa/trainer", "spiffe://acme/ns/prod/sa/trainer"),
    ],
)
def test_fits(pattern, identity):
    assert identity_problem(pattern) is None
    assert identity_matches(pattern, identity)


@pytest.mark.parametrize(
    ("pattern", "identity", "why"),
    [
        ("release@acme.com", "Release@acme.com", "letter case counts"),
        ("release@acme.com", "xrelease@acme.com", "nothing before"),
        ("release@acme.com", "release@acme.com.evil.org", "nothing behind"),
        ("*@acme.com", "x@evil.org@acme.com", "a star crosses no @"),
        ("*@acme.com", "https://evil.org/x@acme.com", "a star crosses no /"),
        ("*@acme.com", "x@acmeXcom", "a dot is a dot"),
        ("*@acme.com", "x@acme.com/evil", "nothing behind a pattern with a star"),
        ("*@acme.com", "x@acme.com@evil.org", "nothing behind a pattern with a star"),
        (
            "https://github.com/acme/*@refs/heads/main",
            f"{WORKFLOW}@refs/heads/evil@refs/heads/main",
            "a branch can be called evil@refs/heads/main",
        ),
        (
            "https://github.com/acme/*/.github/workflows/release.yml@*",
            "https://github.com/acme/x/y/.github/workflows/release.yml@refs/heads/main",
            "one star is one folder",
        ),
        (f"{WORKFLOW}@refs/tags/*", f"{WORKFLOW}@refs/heads/main", "a branch is no tag"),
        ("a*b*c", "a-c-b", "pieces keep their order"),
        ("ab*ba", "aba", "pieces do not overlap"),
        ("a*a*", "a", "pieces do not overlap at the end"),
        ("regex:release", "release@acme.com", "an expression covers all of the name"),
        ("regex:.+@acme\\.com", "x@acme.com\n", "a line end is a character"),
        ("regex:\\d+@acme", "\uff11@acme", "digits are ASCII"),
        ("regex:release|x", "release@evil", "alternatives are anchored too"),
    ],
)
def test_does_not_fit(pattern, identity, why):
    assert identity_problem(pattern) is None
    assert not identity_matches(pattern, identity), why


@pytest.mark.parametrize(
    ("pattern", "fragment"),
    [
        ("", "empty"),
        ("*", "everybody"),
        ("*@*", "everybody"),
        ("*://*/*", "everybody"),
        ("https://host/**", "`**`"),
        ("a" * 1025, "longer"),
        ("a\nb", "printed"),
        ("regex:", "empty"),
        ("regex:.*", "empty name"),
        ("regex:" + "a" * 257, "longer"),
        ("regex:a(b", "not valid"),
        ("regex:a**", "not valid"),
        ("regex:[[a]b", "not valid"),
        ("regex:[z-a]", "not valid"),
        ("regex:a{3,1}", "not valid"),
        ("regex:a{99999999999}", "not valid"),
        ("regex:\\N{DIGIT ONE}{99999999999}", "not valid"),
        ("regex:(a+)+b", "repeated group"),
        ("regex:(a*)*b", "repeated group"),
        ("regex:((ab?)c)+d", "repeated group"),
        ("regex:(a|a)*b", "repeated group"),
        ("regex:(?:a|b){2,}c", "repeated group"),
        ("regex:(a{1,9}){9}b", "repeated group"),
        ("regex:.*.*.*x", "too many"),
        ("regex:\\w+\\w+\\w+\\w+!", "too many"),
        ("regex:" + "a?" * 30 + "a" * 30, "too many"),
        ("regex:" + "(?:a|a)" * 30 + "b", "too many"),
        ("regex:(a)\\1", "not supported"),
        ("regex:\\bfoo", "not supported"),
        ("regex:\\Afoo\\Z", "not supported"),
        ("regex:(?=a)a", "not supported"),
        ("regex:(?i)a", "not supported"),
        ("regex:(?P<x>a)", "not supported"),
        ("regex:(?>a)b", "not supported"),
        ("regex:a^b", "no place"),
        ("regex:a$b", "no place"),
    ],
)
def test_a_pattern_that_cannot_be_used_fits_nothing(pattern, fragment):
    problem = identity_problem(pattern)
    assert problem is not None
    assert fragment in problem
    assert not identity_matches(pattern, "a")
    assert not identity_matches(pattern, pattern.removeprefix("regex:"))


@pytest.mark.parametrize(
    "expression",
    [
        r"https://github\.com/acme/[^/]+/\.github/workflows/[^/]+\.yml@refs/tags/v\d+\.\d+\.\d+",
        r"https://github\.com/acme/.+/release\.yml@refs/.+",
        r"(?:alice|bob|carol)(?:\+ci)?@acme\.com",
        r"[a-z]{1,20}@acme\.(com|org)",
        r"[]a]+@acme",
        r"[^]@]+@acme",
        r"a{2}b{,3}c",
        r"x++y",
    ],
)
def test_useful_expressions_are_accepted(expression):
    assert expression_problem(expression) is None


def test_nothing_fits_the_empty_identity():
    assert not identity_matches("a*", "")
    assert not identity_matches("", "")


PIECES = st.sampled_from(
    ["a", "b", "/", ".", r"\.", r"\d", r"\w", "[ab]", "[^/]", "(", "(?:", ")", "|", *"*+?", "{2,}", "{1,3}"]
)
EXPRESSIONS = st.lists(PIECES, max_size=40).map("".join)


@given(EXPRESSIONS, st.sampled_from(["a", "ab", "a/", "1", "aab"]))
def test_no_accepted_expression_can_be_made_slow(expression, unit):
    assume(expression_problem(expression) is None)
    text = (unit * 512)[:511] + "!"
    started = time.process_time()
    expression_matches(expression, text)
    assert time.process_time() - started < 3


@given(EXPRESSIONS, st.text(alphabet="ab/.1", max_size=12))
def test_an_accepted_expression_means_what_python_says(expression, text):
    assume(expression_problem(expression) is None)
    assert expression_matches(expression, text) == (
        re.compile(expression, re.ASCII).fullmatch(text) is not None
    )


@st.composite
def globs_and_names(draw):
    """A pattern, and a name made from it by filling in its stars, perhaps with one more change."""
    pattern = draw(st.text(alphabet="ab/@*", min_size=1, max_size=10))
    fill = st.text(alphabet="ab" if draw(st.booleans()) else "ab/@", max_size=3)
    name = "".join(draw(fill) if char == "*" else char for char in pattern)
    return pattern, name + draw(st.sampled_from(["", "", "a", "/b", "@a"]))


@settings(max_examples=400)
@given(globs_and_names())
def test_globs_mean_what_an_expression_says(pair):
    pattern, identity = pair
    assume(identity and identity_problem(pattern) is None)
    inner = re.escape(pattern.removesuffix("*")).replace(r"\*", "[^/@]*")
    translated = inner + (".*" if pattern.endswith("*") else "")
    assert identity_matches(pattern, identity) == (re.fullmatch(translated, identity) is not None)


def test_long_names_take_no_time():
    started = time.process_time()
    assert not identity_matches("a*" * 500 + "b", "a" * 100_000)
    assert not identity_matches("regex:[a-z]+@acme", "a" * 100_000)
    assert time.process_time() - started < 1
