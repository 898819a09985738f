"""Fuzz one target by hypothesis: valid files, changed in a few places by bytes that formats care about."""

from __future__ import annotations

import time
from collections.abc import Callable

from fuzz_bounds import MAX_INPUT
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

__all__ = ["run_mutations"]

_ROUND = 200  # examples between looks at the clock
_EDGES = [
    *(
        b"\0",
        b"\xff",
        b"\x7f",
        b"\x80",
        b"\0" * 4,
        b"\xff" * 4,
        b"\xff\xff\xff\x7f",
        b"\0\0\0\x80",
        b"\xff" * 8,
    ),
    *(
        b"\xff" * 7 + b"\x7f",
        bytes(8),
        bytes(7) + b"\x80",
        b"{",
        b"[",
        b'"',
        b"\n",
        b"}",
        b"]",
        b"'",
        b"\\u0061",
    ),
]


def run_mutations(target: Callable[[bytes], None], seeds: list[bytes], seconds: float) -> int:
    """Run the target on changed seeds for so many seconds and return how often it ran; its exceptions come through."""
    runs, end, number = 0, time.monotonic() + seconds, 0
    piece = st.one_of(st.sampled_from(_EDGES), st.binary(min_size=1, max_size=12))
    edit = st.tuples(
        st.sampled_from(("set", "insert", "delete", "copy")),
        st.integers(0, MAX_INPUT),
        st.integers(0, 64),
        piece,
    )

    while time.monotonic() < end:
        number += 1

        @seed(number)
        @settings(
            max_examples=_ROUND,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        @given(st.one_of(st.sampled_from(seeds), st.binary(max_size=256)), st.lists(edit, max_size=8))
        def run(data: bytes, edits: list[tuple[str, int, int, bytes]]) -> None:
            nonlocal runs
            if time.monotonic() < end:
                runs += 1
                target(_edited(data, edits))

        run()
    return runs


def _edited(data: bytes, edits: list[tuple[str, int, int, bytes]]) -> bytes:
    out = bytearray(data)
    for kind, place, length, piece in edits:
        at = place % (len(out) + 1)
        if kind == "set":
            out[at : at + len(piece)] = piece[: max(0, len(out) - at)]
        elif kind == "insert":
            out[at:at] = piece
        elif kind == "delete":
            del out[at : at + length]
        else:
            out[at:at] = out[length : length + 32]
    return bytes(out[:MAX_INPUT])
