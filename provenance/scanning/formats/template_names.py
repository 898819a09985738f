"""Names that chat templates use: filters, functions and methods of texts, lists and dicts that reach nothing else."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["ATTRIBUTE_FILTERS", "FILTERS", "FUNCTIONS", "METHODS", "OBJECTS", "hidden_text", "reaching"]

FILTERS: Final = frozenset(
    [
        "abs",
        "batch",
        "capitalize",
        "center",
        "count",
        "d",
        "default",
        "dictsort",
        "e",
        "escape",
        "filesizeformat",
        "first",
        "float",
        "forceescape",
        "format",
        "from_json",
        "fromjson",
        "groupby",
        "indent",
        "int",
        "items",
        "join",
        "last",
        "length",
        "list",
        "lower",
        "map",
        "max",
        "min",
        "pprint",
        "random",
        "reject",
        "rejectattr",
        "replace",
        "reverse",
        "round",
        "safe",
        "select",
        "selectattr",
        "slice",
        "sort",
        "string",
        "striptags",
        "sum",
        "title",
        "tojson",
        "trim",
        "truncate",
        "unique",
        "upper",
        "urlencode",
        "urlize",
        "wordcount",
        "wordwrap",
        "xmlattr",
    ]
)
# Filters that read attributes by name: where the name stands among their arguments.
ATTRIBUTE_FILTERS: Final = {
    "selectattr": 0,
    "rejectattr": 0,
    "groupby": 0,
    "sum": 0,
    "sort": 2,
    "unique": 1,
    "min": 1,
    "max": 1,
    "join": 1,
    "map": -1,
}
FUNCTIONS: Final = frozenset(
    [
        "raise_exception",
        "strftime_now",
        "range",
        "namespace",
        "dict",
        "joiner",
        "cycler",
        "caller",
        "loop",
        "now",
    ]
)
METHODS: Final = frozenset(
    [
        "append",
        "capitalize",
        "casefold",
        "center",
        "clear",
        "copy",
        "count",
        "cycle",
        "changed",
        "endswith",
        "expandtabs",
        "extend",
        "find",
        "get",
        "index",
        "insert",
        "isalnum",
        "isalpha",
        "isascii",
        "isdecimal",
        "isdigit",
        "isidentifier",
        "islower",
        "isnumeric",
        "isspace",
        "istitle",
        "isupper",
        "items",
        "join",
        "keys",
        "ljust",
        "lower",
        "lstrip",
        "partition",
        "pop",
        "popitem",
        "removeprefix",
        "removesuffix",
        "replace",
        "reverse",
        "rfind",
        "rindex",
        "rjust",
        "rpartition",
        "rsplit",
        "rstrip",
        "setdefault",
        "sort",
        "split",
        "splitlines",
        "startswith",
        "strftime",
        "strip",
        "swapcase",
        "title",
        "upper",
        "update",
        "values",
        "zfill",
        "add",
        "remove",
        "isoformat",
    ]
)
OBJECTS: Final = frozenset(["self", "lipsum", "url_for", "get_flashed_messages", "request"])

_FRAMES: Final = re.compile(r"(?:gi|cr|ag|tb|co|func|im|f)_\w+\Z|mro\Z|format_map\Z")
_HIDDEN: Final = re.compile(r"__[A-Za-z]|[A-Za-z]__|\A_+\Z")


def reaching(name: str) -> bool:
    """Whether an attribute of this name leads from a value to its class, its frame or the running program."""
    return name[:1] == "_" or "__" in name or _FRAMES.match(name) is not None


def hidden_text(text: str) -> bool:
    """Whether a constant is such a name, or underscores of which one can be put together."""
    return _HIDDEN.search(text) is not None or any(
        reaching(part) for part in text.split(".") if part.isidentifier()
    )
