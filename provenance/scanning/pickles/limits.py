"""The bounds of the reader. Reaching one means "could not decide", never "nothing was found"."""

from __future__ import annotations

from typing import Final

__all__ = [
    "MAX_FINDINGS",
    "MAX_MEMO_INDEX",
    "MAX_NESTING",
    "MAX_OPCODES",
    "MAX_STACK",
    "MAX_STREAMS",
    "MAX_TEXT",
]

MAX_OPCODES: Final = 20_000_000  # over all streams of a file
MAX_STACK: Final = 4_000_000  # values on one stack between two marks
MAX_NESTING: Final = 1_000_000  # marks that are open at once
MAX_MEMO_INDEX: Final = MAX_OPCODES  # an unpickler in C allocates that many slots
MAX_TEXT: Final = 65_536  # bytes of a string that are kept; a longer one is data, and no name
MAX_STREAMS: Final = 100_000  # pickles behind one another in one file
MAX_FINDINGS: Final = 50  # findings that are kept of one file
