"""The tokens of TOML, as coarse as finding keys and bounding depth allows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

__all__ = ["tokens"]


def tokens(text: str) -> Iterator[tuple[str, int]]:
    """Yield each token but blanks and comments, with its line from 1; what is no token of TOML is passed over.

    A string, with its quotes, is one token; so is a run of characters without meaning here, as in ``10:30``.
    """
    line = 1
    for match in _token().finditer(text):
        if match.lastgroup != "blank":
            yield match.group(), line
        line += match.group().count("\n")


@cache
def _token() -> re.Pattern[str]:
    """Compiled at the first policy file, for most runs read none."""
    return re.compile(
        r"""(?P<blank>[ \t\r]+|\#[^\n]*)
          | (?P<newline>\n)
          | (?P<string>\"{3}(?:\\.|[^\\])*?\"{3}\"{0,2} | '{3}.*?'{3}'{0,2} | "(?:\\.|[^"\\\n])*" | '[^'\n]*')
          | (?P<bare>[^\s\[\]{}=,.\#"']+)
          | (?P<mark>[\[\]{}=,.])""",
        re.VERBOSE | re.DOTALL,
    )
