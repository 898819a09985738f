"""Standard input as a file to be looked at: read to its end, within a bound."""

from __future__ import annotations

import sys

from provenance.errors import Unreadable

__all__ = ["MOST_BYTES", "NAME", "read_standard_input"]

NAME = "-"
MOST_BYTES = 1 << 30


def read_standard_input() -> bytes:
    """Read all of it; raises Unreadable (ARC007) where it is longer than 1 GiB, so that nothing is half judged."""
    data = sys.stdin.buffer.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise Unreadable(
            "standard input is longer than 1 GiB", code="ARC007", hint="write it to a file and scan that"
        )
    return data
