"""Numbers that stand as text in the stream (INT, LONG, FLOAT, GET, PUT), as either unpickler of CPython reads them.

The one in C hands the line to ``strtol`` and its like: it ends at a zero byte, and a leading zero means octal
(``Modules/_pickle.c``: load_int, load_long, load_float). What only one of the two accepts is accepted here.
"""

from __future__ import annotations

__all__ = ["float_of", "index_of", "integer_of"]


def integer_of(line: bytes) -> int | None:
    """The value of an INT or LONG; None where both unpicklers would stop."""
    text = line.partition(b"\0")[0].rstrip(b"L")
    if not text:
        return 0 if line[:1] == b"\0" else None
    try:
        return int(text, 0)
    except ValueError:
        return _octal(text.lstrip())


def _octal(text: bytes) -> int | None:
    digits = text.lstrip(b"+-")
    if len(text) - len(digits) > 1 or digits[:1] != b"0" or digits.strip(b"01234567"):
        return None
    return int(text, 8)


def index_of(line: bytes) -> int | None:
    """A place in the memo; None where both unpicklers would stop."""
    try:
        return int(line.partition(b"\0")[0], 10)
    except ValueError:
        return None


def float_of(line: bytes) -> float | None:
    """The value of a FLOAT; None where both unpicklers would stop."""
    try:
        return float(line.partition(b"\0")[0])
    except ValueError:
        return None
