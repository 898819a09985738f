"""Is this a pickle? Answered by walking its opcodes from the first byte, for protocols 0 and 1 have no magic.

The walk follows the depth of the stack and its marks, which words and numbers in ordinary text do not respect.
"""

from __future__ import annotations

import re
from typing import Literal

__all__ = ["FIRST_BYTES", "Sniff", "sniff"]

# What a walk found. "no": not a pickle; "inert": it ends in STOP and imports nothing; "imports": it imports by a
# plausible module and then breaks; "odd": the same by a module that only a file of a strange name can be; "calls": it
# imports and calls, or imports and ends in STOP; "open": it goes on behind the bytes that were given.
Sniff = Literal["no", "inert", "imports", "odd", "calls", "open"]

_MAX_OPCODES = 100_000
_NO_FRAME = 1 << 63
_NAME = re.compile(rb"[^\W\d][\w.<>-]*\Z")  # of ASCII; other letters are dealt with below
_NUMBER = re.compile(rb"\s*[-+]?[\w.+-]+\s*(?:\0.*)?\Z", re.DOTALL)  # what C reads ends at a zero byte
_INDEX = re.compile(rb"\s*[-+]?[\d_]+\s*(?:\0.*)?\Z", re.DOTALL)

_FIXED = {ord("J"): 4, ord("K"): 1, ord("M"): 2, ord("G"): 8, 0x80: 1, 0x95: 8}  # arguments of fixed size
_FIXED |= {ord("h"): 1, ord("j"): 4, ord("q"): 1, ord("r"): 4, 0x82: 1, 0x83: 2, 0x84: 4}
_COUNTED = {ord("T"): 4, ord("U"): 1, ord("X"): 4, ord("B"): 4, ord("C"): 1, 0x8A: 1, 0x8B: 4}
_COUNTED |= {0x8C: 1, 0x8D: 8, 0x8E: 8, 0x96: 8}
_LINES = frozenset(b"FILSVPgp")
_PAIRS = frozenset(b"ci")
_PUSH = frozenset(b"FIJKLMNSTUXVBCG}]P") | {0x88, 0x89, 0x8A, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x96, 0x97}
_TO_MARK = {ord("t"): "t", ord("l"): "v", ord("d"): "v", 0x91: "v"}  # replace what lies above the mark
_DRAIN = frozenset(b"eu") | {0x90}  # move what lies above the mark into the object below
_TUPLES = {0x85: 1, 0x86: 2, 0x87: 3}
_OTHERS = frozenset(b"().012QRabcghijopqrsdeltu") | {
    0x80,
    0x81,
    0x82,
    0x83,
    0x84,
    0x92,
    0x93,
    0x94,
    0x95,
    0x98,
}
_OPCODES = _PUSH | _OTHERS | frozenset(_TUPLES) | {0x90, 0x91}

# Bytes that a pickle can begin with: opcodes that ask nothing of the stack.
FIRST_BYTES = (_PUSH | frozenset(b"(.)ciP") | {0x80, 0x82, 0x83, 0x84, 0x95}) - {0x97, ord(".")}


class _NotAPickle(Exception):
    """The bytes break a rule that every unpickler holds."""


class _Open(Exception):
    """The bytes given end in the middle of what may be a pickle."""


class _Walk:
    """State of one walk: kinds of values on the stack ("g" callable, "t" tuple, "v" other, "?" unknown)."""

    __slots__ = ("data", "found", "frame_end", "kinds", "marks", "pos", "size")

    def __init__(self, data: bytes, size: int) -> None:
        self.data = data
        self.size = size
        self.pos = 0
        self.found: Sniff = "no"
        self.frame_end = _NO_FRAME
        self.kinds: list[str] = []
        self.marks: list[int] = []

    def skip(self, length: int) -> None:
        """Step over an argument."""
        self.pos += length
        if self.pos > len(self.data):
            raise _Open if self.pos <= self.size else _NotAPickle

    def number(self, width: int) -> int:
        """Step over an unsigned little-endian number and return it."""
        start = self.pos
        self.skip(width)
        return int.from_bytes(self.data[start : self.pos], "little")

    def line(self) -> bytes:
        """Step over a line and return it without its end."""
        end = self.data.find(b"\n", self.pos)
        if end < 0:
            raise _Open if self.size > len(self.data) else _NotAPickle
        line = self.data[self.pos : end]
        self.pos = end + 1
        return line

    def pop(self, count: int = 1) -> list[str]:
        """Take values off the stack, never beyond the last mark."""
        floor = self.marks[-1] if self.marks else 0
        if len(self.kinds) - floor < count:
            raise _NotAPickle
        taken = self.kinds[len(self.kinds) - count :]
        del self.kinds[len(self.kinds) - count :]
        return taken

    def pop_mark(self) -> list[str]:
        """Take all values above the last mark, and the mark."""
        if not self.marks:
            raise _NotAPickle
        start = self.marks.pop()
        taken = self.kinds[start:]
        del self.kinds[start:]
        return taken

    def call(self, function: str, *, arguments: str = "t") -> None:
        """Note a call if what is called may be callable, and push its result."""
        # The unpickler in Python unpacks whatever can be iterated over.
        if function not in "g?" or arguments not in ("t?v" if function == "g" else "t?"):
            raise _NotAPickle
        self.found = "calls"
        self.kinds.append("?")


def sniff(data: bytes, size: int) -> Sniff:
    """Walk the opcodes in ``data``, the first bytes of ``size``, stream after stream, until one cannot be."""
    walk = _Walk(data, size)
    for _ in range(_MAX_OPCODES):
        try:
            if _step(walk):
                # A stream ended. What follows may be another one (torch's legacy files hold five).
                walk.kinds.clear()
                walk.marks.clear()
                if walk.found in ("imports", "odd"):
                    return "calls"
                if walk.pos >= size:
                    return "inert" if walk.found == "no" else walk.found
        except _NotAPickle:
            return walk.found
        except _Open:
            return "open"
        if walk.found == "calls":
            return "calls"
    return "open"


def _step(walk: _Walk) -> bool:
    """Execute one opcode on the kinds; true at the end of a stream."""
    if walk.pos >= walk.frame_end:
        if walk.pos > walk.frame_end:  # unpicklers differ in what they read from here on
            walk.found = "calls"
        walk.frame_end = _NO_FRAME
    if walk.pos >= len(walk.data):
        raise _Open if walk.size > len(walk.data) else _NotAPickle
    code = walk.data[walk.pos]
    walk.pos += 1
    if code not in _OPCODES:
        raise _NotAPickle
    _arguments(walk, code)
    if code in _PUSH:
        walk.kinds.append("v")
    elif code == 0x2E:
        walk.pop()
        return True
    elif code == 0x28:
        walk.marks.append(len(walk.kinds))
    else:
        _rest(walk, code)
    return False


def _arguments(walk: _Walk, code: int) -> None:
    """Step over the argument of an opcode and check what an unpickler checks of it."""
    if code in _COUNTED:
        walk.skip(walk.number(_COUNTED[code]))
    elif code in _FIXED:
        value = walk.number(_FIXED[code])
        if code == 0x80 and value > 5:
            raise _NotAPickle
        if code == 0x95:
            if walk.pos < walk.frame_end != _NO_FRAME:
                walk.found = "calls"
            walk.frame_end = walk.pos + value
    elif code in _LINES:
        _check_line(code, walk.line())
    elif code in _PAIRS:
        _check_import(walk)


def _check_import(walk: _Walk) -> None:
    """Module and name: the module is imported, and its code run, before it is asked for the name.

    The unpickler in Python also takes what the end of the file cuts off.
    """
    new = walk.found == "no"
    walk.found = "odd" if new else walk.found
    module = walk.line()
    walk.found = "imports" if new and _is_name(module) else walk.found
    if not (_is_name(module) and _is_name(walk.line())):
        raise _NotAPickle


def _check_line(code: int, line: bytes) -> None:
    """Numbers must be numbers and strings quoted."""
    if code in b"FIL" and not _NUMBER.match(line):
        raise _NotAPickle
    if code == 0x53 and not (len(line) >= 2 and line[0] == line[-1] and line[:1] in b"\"'"):
        raise _NotAPickle
    if code in b"gp" and not _INDEX.match(line):
        raise _NotAPickle


def _is_name(name: bytes) -> bool:
    """Whether this can be a dotted name; letters beyond ASCII pass."""
    if not name.isascii():
        return name.decode("utf-8", "replace").replace(".", "_").isidentifier()
    return _NAME.match(name) is not None


def _rest(walk: _Walk, code: int) -> None:  # noqa: C901, PLR0912 - one branch an opcode
    """Execute the opcodes that do more than push a value."""
    kinds = walk.kinds
    if code in _TUPLES:
        walk.pop(_TUPLES[code])
        kinds.append("t")
    elif code in _TO_MARK:
        walk.pop_mark()
        kinds.append(_TO_MARK[code])
    elif code in _DRAIN:
        walk.pop_mark()
        kinds.append(walk.pop()[0])
    elif code == 0x29:
        kinds.append("t")
    elif code in b"asb":
        kinds.append(walk.pop(3 if code == 0x73 else 2)[0])
    elif code in b"pqr" or code in (0x94, 0x98):
        kinds.append(walk.pop()[0])
    elif code in b"ghj":
        kinds.append("?")
    elif code == 0x63 or code in (0x82, 0x83, 0x84):
        kinds.append("g")
    elif code == 0x69:
        walk.pop_mark()
        walk.call("g")
    elif code == 0x6F:
        walk.call((walk.pop_mark() or ["v"])[0])
    elif code in (0x52, 0x81):
        function, arguments = walk.pop(2)
        walk.call(function, arguments=arguments)
    elif code == 0x92:
        walk.call(walk.pop(3)[0])
    else:
        _shuffle(walk, code)


def _shuffle(walk: _Walk, code: int) -> None:
    """Execute the opcodes that move values about."""
    if code == 0x30:  # POP also takes a mark
        if walk.marks and walk.marks[-1] == len(walk.kinds):
            walk.marks.pop()
        else:
            walk.pop()
    elif code == 0x31:
        walk.pop_mark()
    elif code == 0x32:
        walk.kinds.extend(walk.pop() * 2)
    elif code == 0x51:
        walk.pop()
        walk.kinds.append("?")
    elif code == 0x93:
        walk.pop(2)
        walk.found = "imports" if walk.found == "no" else walk.found
        walk.kinds.append("g")
