"""JSON, source code and other text."""

from __future__ import annotations

import re

__all__ = ["json_format", "text_format"]

_LOOK = 512  # bytes that are searched for control characters; zeros and wrong UTF-8 are looked for everywhere
_CONTROL = bytes(set(range(32)) - set(b"\t\n\x0b\x0c\r\x1b")) + b"\x7f"
_OBJECT = re.compile(
    rb'(?:\xef\xbb\xbf)?[ \t\r\n]*(?:\{[ \t\r\n]*["}]|\[[ \t\r\n]*(?:[\]{"\[0-9-]|true|false|null))'
)
_CODE_LINE = re.compile(
    rb"(?:[ \t\r]*(?:#[^\n]*)?\n)*+(?:\"\"\"|import [\w. ]+(?:as \w+)?$|from [\w.]+ import |def \w+\(|class \w+[(:]"
    rb"|#include [<\"]|package \w+;)",
    re.MULTILINE,
)
_CODE_NAMES = (
    *(
        ".py",
        ".pyw",
        ".pyi",
        ".pyx",
        ".sh",
        ".bash",
        ".zsh",
        ".js",
        ".mjs",
        ".cjs",
        ".ts",
        ".c",
        ".h",
        ".cc",
        ".cpp",
    ),
    *(
        ".hpp",
        ".cu",
        ".cuh",
        ".cl",
        ".rs",
        ".go",
        ".java",
        ".jl",
        ".r",
        ".lua",
        ".pl",
        ".rb",
        ".php",
        ".ps1",
        ".bat",
    ),
    *(".cmd", ".scala", ".kt", ".swift", ".m", ".mm", ".metal", ".proto", ".sql"),
)
_TEXT_NAMES = (
    ".md",
    ".txt",
    ".rst",
    ".csv",
    ".tsv",
    ".yaml",
    ".yml",
    ".toml",
    ".cfg",
    ".ini",
    ".jinja",
    ".html",
)


def json_format(head: bytes) -> str:
    """``json``, or ``xgboost`` for its models in JSON, or empty."""
    if not _OBJECT.match(head) or not _is_utf8(head):
        return ""
    if b'"learner"' in head and b'"gradient_booster"' in head:
        return "xgboost"
    return "json"


def text_format(head: bytes, size: int, name: str) -> str:
    """``text``, ``code``, ``lightgbm`` for its models in text, or empty."""
    if not (_is_utf8(head, whole=size <= len(head)) or _is_other_text(head)):
        return ""
    if head.startswith((b"tree\nversion=v", b"tree\r\nversion=v")):
        return "lightgbm"
    if head[:2] == b"#!" or name.lower().endswith(_CODE_NAMES):
        return "code"
    if not name.lower().endswith(_TEXT_NAMES) and _CODE_LINE.match(head):
        return "code"
    return "text"


def _is_utf8(head: bytes, *, whole: bool = False) -> bool:
    """UTF-8 without zeros, and without control characters where they would stand."""
    if b"\0" in head or len(head[:_LOOK].translate(None, _CONTROL)) != len(head[:_LOOK]):
        return False
    if head.isascii():
        return True
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        # The head may end in the middle of a character.
        return not whole and error.end >= len(head) - 3 and error.reason == "unexpected end of data"
    return True


def _is_other_text(head: bytes) -> bool:
    """UTF-16 with its mark, or an old single-byte encoding: no control character and few bytes beyond ASCII."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        even = head[: len(head) & ~1]
        text = even.decode("utf-16", "replace")
        return len(even) > 2 and sum(c.isprintable() or c in "\t\r\n" for c in text) > 0.98 * len(text)
    if len(head.translate(None, _CONTROL)) != len(head):
        return False
    return sum(byte > 0x7F for byte in head) * 4 < len(head)
