"""Where in a TOML text a key or an array's item stands: ``tomllib`` does not keep the lines.

The text has been parsed before, so it is well formed and only its structure is followed here.
"""

from __future__ import annotations

from policies.document.fault import KeyPath
from policies.document.toml_tokens import tokens

__all__ = ["all_lines", "line_of"]


def line_of(text: str, path: KeyPath) -> int:
    """The line, from 1, of a key or item; of the nearest table around it where it is not written; else 0."""
    lines = _Walk(text, path).lines
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 0)


def all_lines(text: str) -> dict[KeyPath, int]:
    """The line of every key, table and array item of a document."""
    return _Walk(text, None).lines


class _Walk:
    """One pass over the tokens, noting where each path is first seen; only those towards ``wanted``, if given."""

    def __init__(self, text: str, wanted: KeyPath | None) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._wanted = wanted
        self._tables: dict[KeyPath, int] = {}  # arrays of tables and how many they have so far
        self._tokens = list(tokens(text))
        self._at = 0
        table: KeyPath = ()
        while self._more():
            if self._peek() == "[":
                table = self._header()
            elif self._peek() == "\n":
                self._at += 1
            else:
                self._assignment(table)

    def _more(self) -> bool:
        return self._at < len(self._tokens)

    def _peek(self) -> str:
        return self._tokens[self._at][0] if self._more() else "\n"

    def _note(self, path: KeyPath) -> KeyPath:
        """Note the line of the token that is next."""
        if self._wanted is None or path == self._wanted[: len(path)]:
            self.lines.setdefault(path, self._tokens[self._at][1])
        return path

    def _key(self, path: KeyPath, end: str) -> KeyPath:
        """Follow a dotted key up to ``end``, noting each table on the way."""
        while self._more() and self._peek() != end:
            if self._peek() != ".":
                path = self._note((*self._current(path), _plain(self._peek())))
            self._at += 1
        self._at += 1
        return path

    def _current(self, path: KeyPath) -> KeyPath:
        """Inside an array of tables the newest one is meant."""
        return (*path, self._tables[path] - 1) if path in self._tables else path

    def _header(self) -> KeyPath:
        """``[a.b]`` or ``[[a.b]]``."""
        self._at += 1
        if self._peek() != "[":
            return self._current(self._key((), "]"))
        self._at += 1
        start = self._at
        path = self._key((), "]")
        self._tables[path] = self._tables.get(path, 0) + 1
        end, self._at = self._at + 1, start
        path = self._note(self._current(path))
        self._at = end
        return path

    def _assignment(self, table: KeyPath) -> None:
        self._value(self._key(table, "="))

    def _value(self, path: KeyPath) -> None:
        opening = self._peek()
        if opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        else:
            while self._peek() not in ("\n", ",", "]", "}"):
                self._at += 1

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        index = 0
        while self._more() and self._peek() != "]":
            if self._peek() in ("\n", ","):
                self._at += 1
                continue
            self._value(self._note((*path, index)))
            index += 1
        self._at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        while self._more() and self._peek() != "}":
            if self._peek() in ("\n", ","):
                self._at += 1
                continue
            self._assignment(path)
        self._at += 1


def _plain(key: str) -> str:
    """A key without its quotes and escapes."""
    if key[0] not in "\"'":
        return key
    import tomllib

    return next(iter(tomllib.loads(f"{key} = 0")))
