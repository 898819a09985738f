"""The line finder agrees with the parser about what is in a document."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from policies.document.toml_lines import all_lines, line_of

DOCUMENT = '''version = 1
a.b."c d".e = [
  1, # x ]
  "]", [2,
  3],
  {x = 1, y.z = [ "#" ]},
]
[signers.'q']
keys = """
a = 1
""" # f
when = 2027-06-30 10:00:00.5
[[items]]
x = 1.5
[[items]]
x = 2
[items.sub]
y = {}
[[items.more]]
k = 1
[[items.more]]
k = 1
'''


def paths(tree: Any, path: tuple = ()) -> set[tuple]:
    children = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return {path} - {()} | {found for key, child in children for found in paths(child, (*path, key))}


def test_every_key_and_item_has_its_line():
    lines = all_lines(DOCUMENT)
    assert set(lines) == paths(tomllib.loads(DOCUMENT))
    assert lines["a", "b", "c d", "e", 2, 1] == 5
    assert lines["a", "b", "c d", "e", 3, "y", "z", 0] == 6
    assert lines["signers", "q", "when"] == 12
    assert lines["items", 0] == 13
    assert lines["items", 1, "x"] == 16
    assert lines["items", 1, "sub", "y"] == 18
    assert lines["items", 1, "more", 1, "k"] == 22


def test_what_is_not_written_is_where_its_table_is():
    assert line_of(DOCUMENT, ("signers", "q", "identity")) == 8
    assert line_of(DOCUMENT, ("elsewhere", "x")) == 0


def test_line_ends_of_other_systems():
    assert line_of('a = """\r\n"""\r\nb = 1\r\n', ("b",)) == 3


KEYS = st.text(alphabet="ab.[]'\"#=\\ é", min_size=1, max_size=4) | st.text(
    alphabet="ab-_1", min_size=1, max_size=4
)
SCALARS = (
    st.integers(-5, 5) | st.booleans() | st.text(alphabet="a]}[{,.#='\"\\\né", max_size=6) | st.just(1.5)
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


def quoted(text: str, multiline: bool = False) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"""\n{escaped}"""' if multiline else '"{}"'.format(escaped.replace("\n", "\\n"))


def written(value: Any, data: Any) -> str:
    """The value as TOML, with arrays over several lines, comments and both kinds of strings thrown in."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return quoted(value, data.draw(st.booleans()))
    if isinstance(value, list):
        gap = data.draw(st.sampled_from(["", "\n", " # ] }\n"]))
        return f"[{gap}" + "".join(f"{written(item, data)},{gap}" for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(key)} = {written(item, data)}" for key, item in value.items()) + "}"
    return str(value)


def lines_of(table: dict[str, Any], path: str, data: Any) -> str:
    """A table as headers and assignments."""
    flat = [
        (key, value)
        for key, value in table.items()
        if not (isinstance(value, dict) and data.draw(st.booleans()))
    ]
    nested = [(key, value) for key, value in table.items() if key not in dict(flat)]
    text = "".join(f"{quoted(key)} = {written(value, data)} # =\n" for key, value in flat)
    for key, value in nested:
        name = f"{path}.{quoted(key)}" if path else quoted(key)
        text += f"\n[{name}]\n" + lines_of(value, name, data)
    return text


@given(st.dictionaries(KEYS, TREES, max_size=4), st.data())
def test_any_document(tree, data):
    text = lines_of(tree, "", data)
    parsed = tomllib.loads(text)
    lines = all_lines(text)
    assert set(lines) == paths(parsed)
    ends = text.count("\n") + 1
    assert all(1 <= line <= ends for line in lines.values())
    for path, line in lines.items():
        assert line_of(text, path) == line
        if isinstance(path[-1], str):
            assert quoted(path[-1]) in text.split("\n")[line - 1]
