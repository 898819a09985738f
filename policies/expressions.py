"""Regular expressions that are safe to run on names that strangers chose.

Python's engine backtracks, so an expression with several ways to match the same text can take for ever. Only a
plain subset is accepted: characters, classes, groups, alternatives and repeats, no nested repeats, and no more
than two repeats that leave open where they end.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

__all__ = ["expression_matches", "expression_problem"]

_MAX_EXPRESSION = 256
_MAX_TEXT = 512
_TEXT_BITS = _MAX_TEXT.bit_length() - 1
_MAX_BITS = 2 * _TEXT_BITS

_TOKEN = re.compile(
    r"""(?P<escape>\\.)
      | (?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])
      | (?P<open>\(\?:|\((?!\?))
      | (?P<extension>\(\?)
      | (?P<close>\))
      | (?P<branch>\|)
      | (?P<repeat>(?:[*+?]|\{\d+\}|\{\d*,\d*\})[?+]?)
      | (?P<anchor>[\^$])
      | (?P<any>\.)
      | (?P<literal>.)""",
    re.VERBOSE | re.DOTALL,
)


class _Token(NamedTuple):
    kind: str
    text: str


def expression_matches(expression: str, text: str) -> bool:
    """Tell whether the expression matches all of the text; a text of more than 512 characters never matches."""
    return len(text) <= _MAX_TEXT and _compiled(expression).fullmatch(text) is not None


def expression_problem(expression: str) -> str | None:
    """Say why an expression cannot be used, or None."""
    if not expression:
        return "the expression is empty"
    if len(expression) > _MAX_EXPRESSION:
        return f"the expression is longer than {_MAX_EXPRESSION} characters"
    try:
        matches_nothing_said = _compiled(expression).fullmatch("") is not None
    except (re.error, OverflowError, RecursionError, Warning) as error:
        return f"the expression is not valid: {error}"
    tokens = [_Token(str(found.lastgroup), found.group()) for found in _TOKEN.finditer(expression)]
    problem = _unsupported(tokens) or _nested(tokens) or _ambiguous(tokens)
    return problem or ("the expression fits the empty name" if matches_nothing_said else None)


@lru_cache(maxsize=256)
def _compiled(expression: str) -> re.Pattern[str]:
    """Compile with ASCII classes; what Python only warns of (an ambiguous set) is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return re.compile(expression, re.ASCII)


def _unsupported(tokens: list[_Token]) -> str | None:
    """Refuse what is not in the subset."""
    for at, token in enumerate(tokens):
        if token.kind == "extension":
            return "lookaround, flags, names and other `(?…)` are not supported; `(?:…)` is"
        if token.kind == "escape" and token.text[1].isalnum() and token.text[1] not in "dDwWsS":
            return f"`{token.text}` is not supported"
        if token.kind == "anchor" and at != (0 if token.text == "^" else len(tokens) - 1):
            return "`^` and `$` have no place inside: the expression always covers the whole name"
    return None


def _nested(tokens: list[_Token]) -> str | None:
    """Refuse a repeated group that holds a repeat or alternatives: the ways to match it grow exponentially."""
    varies = [False]
    for token, following in _pairs(tokens):
        if token.kind == "open":
            varies.append(False)
        elif token.kind in ("branch", "repeat"):
            varies[-1] = True
        elif token.kind == "close":
            inner = varies.pop()
            if inner and following.kind == "repeat" and _bounds(following.text)[1] != 1:
                return "a repeated group holds a repeat or alternatives itself"
            varies[-1] = varies[-1] or inner
    return None


def _ambiguous(tokens: list[_Token]) -> str | None:
    """Refuse where repeats and alternatives multiply to more ways than can be tried."""
    bits = 0
    for at, token in enumerate(tokens):
        if token.kind == "branch":
            bits += 1
        elif token.kind == "repeat" and not _ends_surely(tokens, at):
            low, high = _bounds(token.text)
            bits += min(_TEXT_BITS, (_MAX_TEXT if high is None else high - low).bit_length())
    if bits > _MAX_BITS:
        return "too many parts of the expression can match the same text; end repeats with a character of their own"
    return None


def _ends_surely(tokens: list[_Token], at: int) -> bool:
    """Whether a repeat can end in one place only: at the end, or before a character that it cannot match."""
    repeat, atom = tokens[at], tokens[at - 1]
    if repeat.text.endswith("+") and len(repeat.text) > 1:  # possessive: never gives back
        return True
    following = [*tokens[at + 1 : at + 3], _Token("end", ""), _Token("end", "")]
    if atom.kind == "close" or following[0].kind not in ("literal", "escape", "end", "anchor"):
        return False
    if following[0].kind in ("end", "anchor"):
        return True
    optional = following[1].kind == "repeat" and _bounds(following[1].text)[0] == 0
    return not optional and not _overlap(atom.text, following[0].text)


def _overlap(atom: str, other: str) -> bool:
    """Whether a single character that ``other`` matches is matched by ``atom`` too."""
    return any(
        re.fullmatch(atom, char, re.ASCII) and re.fullmatch(other, char, re.ASCII)
        for char in map(chr, range(128))
    ) or (len(other) == 1 and re.fullmatch(atom, other, re.ASCII) is not None)


def _bounds(repeat: str) -> tuple[int, int | None]:
    """The least and the greatest number of times; None where there is no greatest."""
    if repeat[0] != "{":
        return {"*": (0, None), "+": (1, None), "?": (0, 1)}[repeat[0]]
    low, comma, high = repeat[1 : repeat.index("}")].partition(",")
    if not comma:
        return int(low), int(low)
    return int(low or 0), int(high) if high else None


def _pairs(tokens: list[_Token]) -> Iterator[tuple[_Token, _Token]]:
    """Each token with the one behind it."""
    return zip(tokens, [*tokens[1:], _Token("end", "")], strict=True)
