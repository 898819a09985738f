import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.artifacts.names import ignore_problem, name_problem


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/a",
        "../a",
        "a/../b",
        "a/..",
        "..",
        ".",
        "a//b",
        "a/./b",
        "./a",
        "a/",
        "a\\b",
        "\\a",
        "C:",
        "c:/a",
        "a\0b",
        "\udcff",
        "x" * 5000,
    ],
)
def test_unsafe_names_are_named_so(name: str) -> None:
    assert name_problem(name)


@pytest.mark.parametrize(
    "name", ["a", "a/b.txt", "a:b:0:1", "..a", "a..", "...", "é", "a b", ".hidden", "model:7"]
)
def test_plain_names_are_fine(name: str) -> None:
    assert name_problem(name) is None


@given(st.text(max_size=30))
def test_no_accepted_name_leaves_the_root(name: str) -> None:
    import posixpath

    if name_problem(name) is None:
        assert posixpath.normpath(posixpath.join("/model", name)) == f"/model/{name}"


@pytest.mark.parametrize("name", ["*.bin", "a?", "[ab]", "../x", "/x"])
def test_ignored_paths_are_exact_and_inside(name: str) -> None:
    assert ignore_problem(name)
