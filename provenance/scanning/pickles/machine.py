"""The abstract machine: its stack, memo, marks and frames, and the loop that feeds it opcodes.

The rules are those of both unpicklers of CPython (`Lib/pickle.py`, `Modules/_pickle.c`); where they differ, what
either would do counts. Nothing is imported or called: calls are judged by the allowlist (`calls.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from provenance.scanning.pickles.allowlist import Allowed
from provenance.scanning.pickles.limits import MAX_OPCODES, MAX_TEXT
from provenance.scanning.pickles.report import Report
from provenance.scanning.pickles.source import Source
from provenance.scanning.pickles.values import DATA

__all__ = ["Broken", "Limit", "Machine", "Operations"]

_WINDOW = 1 << 16
_AHEAD = 16  # an opcode and any argument of fixed size lie within so many bytes
_NO_FRAME = 1 << 63

# What each of the 256 opcodes does; None for those that do not exist.
Operations = Sequence[Callable[["Machine"], None] | None]


class Broken(Exception):
    """The stream is not a pickle from here on: an unpickler stops here with an error."""


class Limit(Exception):
    """A bound of the reader was reached, so nothing can be said of the rest."""


class Machine:
    """The state while one stream is read.

    ``persistent`` says whether persistent ids may occur, which they do in torch's files only.
    """

    __slots__ = (
        *(
            "allowed",
            "base",
            "buffer",
            "ended",
            "frame_end",
            "limit",
            "marks",
            "memo",
            "nesting",
            "persistent",
        ),
        *("position", "protocol", "report", "result", "shared", "source", "stack", "start", "where"),
    )

    def __init__(
        self, source: Source, allowed: Allowed, report: Report, *, where: str = "", persistent: bool = False
    ) -> None:
        self.source = source
        self.allowed = allowed
        self.report = report
        self.where = where
        self.persistent = persistent
        self.nesting = 0  # streams within streams
        self.buffer = b""
        self.base = source.position  # offset of the buffer's first byte in the source
        self.position = 0  # in the buffer
        self.limit = 0  # position in the buffer at which something is to be done before the next opcode
        self.reset()

    def reset(self) -> None:
        """Forget everything but the place in the source: the next stream has a machine of its own."""
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.shared: dict[int, tuple[Any, int]] = {}  # weights of tuples, by identity
        self.protocol = 0
        self.frame_end = _NO_FRAME
        self.ended = False
        self.result: Any = None
        self.start = 0
        self.set_limit()

    @property
    def offset(self) -> int:
        """Where the next byte lies in the source."""
        return self.base + self.position

    def place(self) -> str:
        """Where the current opcode lies, for a finding."""
        prefix = f"{self.where}, " if self.where else ""
        return f"{prefix}byte {self.start}"

    def refuse(self, rule: str, message: str) -> None:
        """Report something at the current opcode."""
        self.report.add(rule, message, self.place())

    def run(self, operations: Operations) -> None:
        """Read one stream to its STOP. Raises Broken or Limit; what was found before stands in the report."""
        opcodes = self.report.opcodes
        try:
            while not self.ended:
                if self.position >= self.limit:
                    self.prepare()
                self.start = self.base + self.position
                operation = operations[self.buffer[self.position]]
                if operation is None:
                    raise Broken("there is no such opcode")
                self.position += 1
                opcodes += 1
                if opcodes > MAX_OPCODES:
                    raise Limit(f"more than {MAX_OPCODES} opcodes")
                operation(self)
        except (IndexError, KeyError) as error:
            raise Broken("the stack or the memo does not hold what the opcode needs") from error
        finally:
            self.report.opcodes = opcodes

    def set_limit(self) -> None:
        """Come back before the buffer runs out, and at the end of the frame."""
        self.limit = min(max(0, len(self.buffer) - _AHEAD), self.frame_end - self.base)

    def prepare(self) -> None:
        """Between two opcodes: leave a frame that ends here, and fill the buffer."""
        if self.offset >= self.frame_end:
            if self.offset > self.frame_end:
                self.refuse("PKL009", "an argument crosses the end of its frame")
            self.frame_end = _NO_FRAME
        if len(self.buffer) - self.position < _AHEAD:
            self.fill(_AHEAD)
            if self.position >= len(self.buffer):
                raise Broken("it ends without STOP")
        self.set_limit()
        if self.position >= self.limit:  # the last bytes of the source, or of the frame
            self.limit = self.position + 1

    def leave_frame(self) -> None:
        """What follows is no opcode, so a frame must end here, if there is one."""
        if self.offset != self.frame_end != _NO_FRAME:
            self.refuse("PKL009", "an array begins inside a frame")
        self.frame_end = _NO_FRAME
        self.limit = 0

    def fill(self, wanted: int) -> None:
        """Drop what was read from the buffer and read on until ``wanted`` bytes lie ahead, or the end."""
        buffer = self.buffer[self.position :]
        self.base += self.position
        self.position = 0
        while len(buffer) < wanted:
            more = self.source.read(max(_WINDOW, wanted - len(buffer)))
            if not more:
                break
            buffer += more
        self.buffer = buffer

    def take(self, length: int) -> bytes:
        """The next bytes of an argument. Raises Broken where there are fewer."""
        end = self.position + length
        if end > len(self.buffer):
            self.fill(length)
            self.limit = 0
            end = length
            if end > len(self.buffer):
                raise Broken("it ends in the middle of an argument")
        data = self.buffer[self.position : end]
        self.position = end
        return data

    def number(self, width: int) -> int:
        """An unsigned little-endian argument."""
        return int.from_bytes(self.take(width), "little")

    def take_short(self, length: int) -> bytes | None:
        """An argument that is kept if it is short; None where it was stepped over."""
        if length <= MAX_TEXT:
            return self.take(length)
        self.skip(length)
        return None

    def skip(self, length: int) -> None:
        """Step over bytes that are not looked at, without reading them. Raises Broken where there are fewer."""
        ahead = len(self.buffer) - self.position
        if length <= ahead:
            self.position += length
            return
        skipped = self.source.skip(length - ahead)
        self.base += len(self.buffer) + skipped
        self.buffer, self.position, self.limit = b"", 0, 0
        if skipped < length - ahead:
            raise Broken("it ends in the middle of an argument")

    def line(self) -> bytes | None:
        """An argument up to a line feed, without it; None where it is too long to be kept."""
        kept = b""
        while True:
            end = self.buffer.find(b"\n", self.position)
            if end >= 0:
                kept += self.buffer[self.position : end]
                self.position = end + 1
                return kept if len(kept) <= MAX_TEXT else None
            if len(kept) <= MAX_TEXT:
                kept += self.buffer[self.position :]
            self.position = len(self.buffer)
            self.fill(1)
            self.limit = 0
            if not self.buffer:
                raise Broken("it ends in the middle of a line")

    def pop_mark(self) -> list[Any]:
        """The values above the last mark; the stack is again what it was below."""
        items = self.stack
        if not self.marks:
            raise Broken("there is no mark on the stack")
        self.stack = self.marks.pop()
        return items

    def push_data(self) -> None:
        """Push a value that does not matter."""
        self.stack.append(DATA)
