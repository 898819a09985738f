"""Patterns of identities: an exact name, a glob with ``*``, or ``regex:`` and an expression for all of the name."""

from __future__ import annotations

from functools import lru_cache

__all__ = ["REGEX_PREFIX", "identity_matches", "identity_problem"]

REGEX_PREFIX = "regex:"
_MAX_PATTERN = 1024


def identity_matches(pattern: str, identity: str) -> bool:
    """Tell whether an identity, as a certificate states it, fits a pattern.

    ``*`` stands for any run of characters other than ``/`` and ``@``, so that no branch or folder can pose as the
    part that follows; as the last character it stands for any rest. After ``regex:`` comes a regular expression
    (Python's, ASCII classes) that must match from the first to the last character. Letter case counts. A pattern
    that ``identity_problem`` objects to fits nothing, and no pattern fits the empty identity.
    """
    if not identity or identity_problem(pattern) is not None:
        return False
    if pattern.startswith(REGEX_PREFIX):
        from policies.expressions import expression_matches  # few policies hold an expression

        return expression_matches(pattern.removeprefix(REGEX_PREFIX), identity)
    return _glob_matches(pattern, identity) if "*" in pattern else pattern == identity


@lru_cache(maxsize=256)
def identity_problem(pattern: str) -> str | None:
    """Say why a pattern cannot be used, or None: too long, no name in it, ``**``, or an unsafe expression."""
    if len(pattern) > _MAX_PATTERN:
        return f"it is longer than {_MAX_PATTERN} characters"
    if not pattern.isprintable():
        return "it contains characters that cannot be printed"
    if pattern.startswith(REGEX_PREFIX):
        from policies.expressions import expression_problem

        return expression_problem(pattern.removeprefix(REGEX_PREFIX))
    return _glob_problem(pattern)


def _glob_problem(pattern: str) -> str | None:
    """Say why an exact name or a glob cannot be used, or None."""
    if not pattern:
        return "it is empty"
    if "**" in pattern:
        return "`**` has no meaning; `*` at the end stands for any rest"
    if not pattern.strip("*/@:."):
        return "it fits everybody"
    return None


def _glob_matches(pattern: str, identity: str) -> bool:
    """Match segment by segment; where the pattern ends with a star, segments may follow."""
    wanted, given = _segments(pattern), _segments(identity)
    if len(given) < len(wanted) or (len(given) > len(wanted) and not pattern.endswith("*")):
        return False
    return all(_segment_matches(*pair) for pair in zip(wanted, given, strict=False))


def _segments(text: str) -> list[str]:
    """Split at ``/`` and ``@``; each segment but the first begins with its separator."""
    return text.replace("/", "\0/").replace("@", "\0@").split("\0")


def _segment_matches(pattern: str, text: str) -> bool:
    """Match one segment in linear time: the first and last piece at the ends, those between from the left."""
    if "*" not in pattern:
        return pattern == text
    first, *middle, last = pattern.split("*")
    at, end = len(first), len(text) - len(last)
    if at > end or not text.startswith(first) or not text.endswith(last):
        return False
    for piece in middle:
        at = text.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True
