"""Chat templates (Jinja): read as tokens; what templates have escaped by is refused.

Loaders render them in a sandbox, and sandboxes have been left: by attributes with two underscores, by frames, by the
``attr`` filter, by names put together from parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["template_faults"]

_BLOCK = re.compile(r"\{#.*?#\}|\{\{(?P<print>.*?)\}\}|\{%(?P<statement>.*?)%\}", re.DOTALL)
_TOKEN = re.compile(
    r"""(?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<name>[^\W\d]\w*)|(?P<sign>[^\s\w])""", re.DOTALL
)
_STATEMENTS = ("include", "import", "extends", "from", "debug")
_FRAMES = re.compile(r"(?:gi|cr|ag|tb|co|func|im|f)_\w+\Z|mro\Z")
_OBJECTS = (
    "self",
    "cycler",
    "joiner",
    "lipsum",
    "url_for",
    "get_flashed_messages",
    "request",
    "caller",
    "varargs",
)
_MAX_BYTES = 1 << 20


def template_faults(template: str) -> Iterator[str]:
    """What in a template reaches beyond its values, in words; nothing for an ordinary one."""
    if len(template) > _MAX_BYTES:
        yield "the template is larger than 1 MiB"
        return
    for block in _BLOCK.finditer(template):
        text = block["print"] or block["statement"] or ""
        tokens = [(match.lastgroup or "", match[0]) for match in _TOKEN.finditer(text)]
        if block["statement"] is not None and _first_name(tokens) in _STATEMENTS:
            yield f"it has the statement `{_first_name(tokens)}`"
        yield from _faults(tokens)


def _first_name(tokens: list[tuple[str, str]]) -> str:
    return next((text for kind, text in tokens if kind == "name"), "")


def _faults(tokens: list[tuple[str, str]]) -> Iterator[str]:
    for index, (kind, text) in enumerate(tokens):
        before = tokens[index - 1][1] if index else ""
        after = tokens[index + 1][1] if index + 1 < len(tokens) else ""
        if kind == "string":
            yield from _string_faults(text, before, after)
        elif kind == "name" and "__" in text:
            yield f"it names `{text}`"
        elif kind == "name" and before == "|" and text == "attr":
            yield "it uses the filter `attr`"
        elif kind == "name" and before == "." and _FRAMES.match(text):
            yield f"it reads the attribute `{text}`"
        elif kind == "name" and before != "." and text in _OBJECTS and after in (".", "[", "|"):
            yield f"it reads from `{text}`"


def _string_faults(literal: str, before: str, after: str) -> Iterator[str]:
    """Names of attributes may stand in strings, be escaped there, or be put together from parts."""
    body = literal[1:-1]
    try:
        plain = body.encode("latin-1", "backslashreplace").decode("unicode-escape") if "\\" in body else body
    except UnicodeDecodeError:
        plain = body
    hidden = plain != body and "_" in plain and "_" not in body
    joined = plain.strip("_") != plain and {before, after} & {"~", "+", "*", "%"} and plain.isidentifier()
    indexed = before == "[" and after == "]"
    if (
        hidden
        or joined
        or (indexed and (plain.startswith("__") or _FRAMES.match(plain)))
        or _DUNDER.search(plain)
    ):
        yield f"it has the text {literal[:40]}"


_DUNDER = re.compile(
    r"__(?:class|mro|bases?|subclasses|globals|builtins|import|init|dict|getattribute|code|reduce)\w*__"
)
